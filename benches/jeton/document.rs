//! The last report, as docs/performance.md shows it.

use std::fs;

use crate::Result;
use crate::report::{Report, SVG};

const PAGE: &str = "docs/performance.md";
const PICTURE: &str = "docs/performance.svg";
const BEGIN: &str = "<!-- bin/bench --document writes from here -->\n";
const END: &str = "<!-- to here -->";

/// Put the figures of the last run between the marks, and its picture beside the page.
pub fn write() -> Result<()> {
    let report = Report::read()?;
    let page = fs::read_to_string(PAGE)?;
    let marks = page.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) = marks.ok_or(format!("{PAGE} has lost its marks"))?;
    let figures = report.markdown()?;
    let picture = "![Requests a second, of a bare handler's](performance.svg)";
    fs::write(
        PAGE,
        format!("{before}{BEGIN}\n{figures}\n{picture}\n\n{END}{after}"),
    )?;
    fs::copy(SVG, PICTURE)?;
    Ok(())
}
