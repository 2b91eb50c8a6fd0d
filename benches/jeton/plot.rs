//! The ratios as a picture: a bar a case, and a mark at the bar it has to meet.

use std::fmt::Write as _;

use crate::Result;
use crate::bars::bar_of;
use crate::report::{Figures, Report, thousands};

const ROW: usize = 22;
const LEFT: f64 = 430.0;
const WIDE: f64 = 520.0;
const TOP: usize = 64;
/// How far to the right of a bar its value reaches.
const VALUE: f64 = 38.0;

/// Readable on white and on black: the page's own colours.
const STYLE: &str = "\
svg { color-scheme: light dark; font: 13px system-ui, sans-serif; background: light-dark(#ffffff, #16181d); }
text { fill: light-dark(#1f2328, #e6e8eb); }
.title { font-size: 16px; font-weight: 600; }
.quiet { fill: light-dark(#59636e, #9aa4af); }
.grid { stroke: light-dark(#d9dee3, #343941); }
.sqlite { fill: light-dark(#2f6fb0, #6aa9e9); }
.postgresql { fill: light-dark(#6f52a3, #b397e6); }
.bar { stroke: light-dark(#c4441c, #ff9466); stroke-width: 2.5; }
";

pub fn draw(report: &Report) -> Result<String> {
    let rows: Vec<&Figures> = report
        .figures
        .iter()
        .filter(|row| row.label.case != "bare handler")
        .collect();
    let bottom = TOP + ROW * rows.len();
    let (width, height) = (LEFT + WIDE + 70.0, bottom + 44);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-label=\"Requests a second of Jeton, of a bare handler's\">\n\
         <style>\n{STYLE}</style>\n\
         <text class=\"title\" x=\"16\" y=\"26\">Requests a second, of a bare handler's</text>\n\
         <text class=\"quiet\" x=\"16\" y=\"46\">{}, {}</text>\n",
        report.machine, report.date
    );
    for tenth in (0..=10).step_by(2) {
        let (x, share) = (place(f64::from(tenth) / 10.0), f64::from(tenth) / 10.0);
        writeln!(
            svg,
            "<line class=\"grid\" x1=\"{x}\" x2=\"{x}\" y1=\"{TOP}\" y2=\"{bottom}\"/>\
             <text class=\"quiet\" x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{share:.1}</text>",
            bottom + 18
        )?;
    }
    for (number, row) in rows.iter().enumerate() {
        bar(&mut svg, TOP + ROW * number, row)?;
    }
    let x = place(0.0);
    writeln!(
        svg,
        "<line class=\"bar\" x1=\"{x}\" x2=\"{x}\" y1=\"{}\" y2=\"{}\"/>\
         <text class=\"quiet\" x=\"{}\" y=\"{}\">the bar to meet</text>\n</svg>",
        bottom + 26,
        bottom + 38,
        x + 8.0,
        bottom + 37
    )?;
    Ok(svg)
}

fn bar(svg: &mut String, y: usize, row: &Figures) -> Result<()> {
    let label = &row.label;
    let nodes = if label.nodes > 1 { ", 2 nodes" } else { "" };
    let name = format!(
        "{}, {}, {}, {}{nodes}",
        label.database.name(),
        thousands(label.tokens),
        label.case,
        label.of
    );
    let class = label.database.name().to_lowercase();
    let (middle, end) = (y + ROW / 2 + 4, place(row.of_bare.min(1.0)));
    let mark = bar_of(row).map(place);
    let covered = mark.filter(|mark| (end - 2.0..end + VALUE).contains(mark));
    writeln!(
        svg,
        "<text x=\"{}\" y=\"{middle}\" text-anchor=\"end\">{name}</text>\
         <rect class=\"{class}\" x=\"{LEFT}\" y=\"{}\" width=\"{:.1}\" height=\"{}\" rx=\"2\"/>\
         <text class=\"quiet\" x=\"{:.1}\" y=\"{middle}\">{:.2}</text>",
        LEFT - 10.0,
        y + 4,
        (end - LEFT).max(1.0),
        ROW - 8,
        covered.unwrap_or(end) + 6.0,
        row.of_bare
    )?;
    if let Some(x) = mark {
        writeln!(
            svg,
            "<line class=\"bar\" x1=\"{x}\" x2=\"{x}\" y1=\"{}\" y2=\"{}\"/>",
            y + 1,
            y + ROW - 1
        )?;
    }
    Ok(())
}

fn place(share: f64) -> f64 {
    LEFT + WIDE * share
}
