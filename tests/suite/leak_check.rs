//! `jeton leak-check`: what it finds, what it says of it, and what its exit code says.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use jeton::domain::secret::{Brands, SecretKind, random_bytes};
use serde_json::{Value, json};

use crate::support::Jeton;

const KINDS: [(SecretKind, &str); 5] = [
    (SecretKind::PersonalAccessToken, "personal access token"),
    (SecretKind::AccessToken, "access token"),
    (SecretKind::RefreshToken, "refresh token"),
    (SecretKind::ClientSecret, "client secret"),
    (SecretKind::AuthorizationCode, "authorization code"),
];

struct Checked {
    code: i32,
    stdout: String,
    stderr: String,
}

fn minted(brand: &str, kind: SecretKind) -> String {
    let brands = Brands::new(vec![brand.to_owned()]).expect("a brand");
    brands.mint(kind).expose().to_owned()
}

fn token() -> String {
    minted("jeton", SecretKind::PersonalAccessToken)
}

/// A secret with its last character changed.
fn mangled(secret: &str) -> String {
    let last = if secret.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &secret[..secret.len() - 1])
}

/// Its brand, its type and the first four characters.
fn hint(secret: &str) -> &str {
    &secret[..secret.rfind('_').unwrap() + 5]
}

/// Run it in `folder`, with settings that no server would start with.
fn check_with(folder: &Path, args: &[&str], input: &[u8]) -> Checked {
    let mut child = Command::new(Jeton::program())
        .env_clear()
        .envs([
            ("JETON_DATABASE_URL", "mysql://nowhere"),
            ("JETON_LISTEN", "nowhere"),
            ("JETON_CONFIG", "/nowhere/jeton.toml"),
        ])
        .arg("leak-check")
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("jeton starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("the input is written");
    Checked {
        code: output.status.code().expect("no signal ended it"),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

fn check(folder: &Path, args: &[&str]) -> Checked {
    check_with(folder, args, b"")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Each kind of secret, of whatever brand, is named with its place; none is printed.
#[test]
fn every_kind_is_found_with_its_place_and_its_hint() {
    let folder = folder();
    let (mut text, mut expected) = (String::new(), String::new());
    for (number, (kind, name)) in KINDS.into_iter().enumerate() {
        let secret = minted(["jeton", "acme", "ab", "brand9chr"][number % 4], kind);
        text += &format!("# line\nkey = '{secret}' # é\n");
        let (line, hint) = (2 * number + 2, hint(&secret));
        expected += &format!(".env:{line}:8: {hint}… {name}, the checksum holds\n");
    }
    fs::write(folder.path().join(".env"), &text).unwrap();
    let checked = check(folder.path(), &[".env"]);
    assert_eq!((checked.code, checked.stderr.as_str()), (1, ""));
    assert_eq!(checked.stdout, expected);
}

/// 0: nothing; 1: something; 2: something could not be read, whatever else was found.
#[test]
fn the_exit_code_says_what_came_of_it() {
    let folder = folder();
    fs::write(folder.path().join("good"), "nothing here\n").unwrap();
    fs::write(folder.path().join("bad"), token()).unwrap();
    for (args, code, lines) in [
        (&["good"][..], 0, 0),
        (&["bad"], 1, 1),
        (&["good", "bad"], 1, 1),
        (&["."], 1, 1),
        (&["nowhere"], 2, 0),
        (&["nowhere", "bad"], 2, 1),
        (&["bad", "nowhere", "good"], 2, 1),
        (&[], 2, 0),
        (&["--surely", "bad"], 2, 0),
    ] {
        let checked = check(folder.path(), args);
        assert_eq!(checked.code, code, "{args:?}: {}", checked.stderr);
        assert_eq!(checked.stdout.lines().count(), lines, "{args:?}");
        assert_eq!(checked.stderr.is_empty(), code != 2, "{args:?}");
    }
}

/// A look-alike is told from a secret by its checksum, and can be left out.
#[test]
fn a_look_alike_is_told_from_a_secret() {
    let folder = folder();
    let (real, alike) = (token(), mangled(&token()));
    fs::write(folder.path().join("a"), format!("{alike}\n")).unwrap();
    fs::write(folder.path().join("b"), format!("{real}\n")).unwrap();
    let checked = check(folder.path(), &["a", "b"]);
    let lines: Vec<&str> = checked.stdout.lines().collect();
    let (first, second) = (hint(&alike), hint(&real));
    assert_eq!(
        lines,
        [
            format!("a:1:1: {first}… personal access token, the checksum does not hold"),
            format!("b:1:1: {second}… personal access token, the checksum holds"),
        ]
    );
    assert_eq!(check(folder.path(), &["a"]).code, 1);
    assert_eq!(check(folder.path(), &["--sure", "a"]).code, 0);
    let sure = check(folder.path(), &["--sure", "a", "b"]);
    assert_eq!((sure.code, sure.stdout.lines().count()), (1, 1));
}

/// `--json` prints one document, also when there is nothing to tell.
#[test]
fn json_is_one_document() {
    let folder = folder();
    let (real, alike) = (token(), mangled(&token()));
    fs::write(folder.path().join("a"), format!("x\n {real} {alike}")).unwrap();
    fs::write(folder.path().join("b"), "nothing").unwrap();
    let checked = check(folder.path(), &["--json", "a", "nowhere"]);
    assert_eq!(checked.code, 2);
    let told: Value = serde_json::from_str(&checked.stdout).expect("JSON");
    let sighting = |column: usize, secret: &str, checksum: bool| {
        json!({
            "file": "a", "line": 2, "column": column, "hint": hint(secret),
            "kind": "personal access token", "checksum": checksum,
        })
    };
    let second = 3 + real.len();
    let expected = json!([sighting(2, &real, true), sighting(second, &alike, false)]);
    assert_eq!(told, expected);
    let none = check(folder.path(), &["b", "--json"]);
    assert_eq!((none.code, none.stdout.as_str()), (0, "[]\n"));
}

/// Folders are looked through to the bottom, hidden files too. Links are not followed, and what is no file is passed by.
#[test]
fn folders_are_looked_through_to_the_bottom() {
    let folder = folder();
    let deep = folder.path().join("a/.b/c");
    fs::create_dir_all(&deep).unwrap();
    let secret = token();
    for name in ["a/.b/c/deep", "a/.hidden", "z"] {
        fs::write(folder.path().join(name), &secret).unwrap();
    }
    std::os::unix::fs::symlink("..", deep.join("loop")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", deep.join("zeros")).unwrap();
    let fifo = Command::new("mkfifo").arg(deep.join("fifo")).status();
    assert!(fifo.expect("there is mkfifo").success());
    let checked = check(folder.path(), &["a", "z", "./a"]);
    let files: Vec<&str> = checked
        .stdout
        .lines()
        .map(|line| line.split(':').next().unwrap())
        .collect();
    let expected = [
        "a/.b/c/deep",
        "a/.hidden",
        "z",
        "./a/.b/c/deep",
        "./a/.hidden",
    ];
    assert_eq!(files, expected);
    assert_eq!((checked.code, checked.stderr.as_str()), (1, ""));
}

/// A file whose name would draw on the terminal is named on one line, without that.
#[test]
fn a_strange_name_is_told_on_one_line() {
    use std::os::unix::ffi::OsStrExt;
    let folder = folder();
    let name = std::ffi::OsStr::from_bytes(b"a\n\x1b[31m\xff");
    fs::write(folder.path().join(name), token()).unwrap();
    let checked = check(folder.path(), &["."]);
    assert_eq!(checked.stdout.lines().count(), 1, "{:?}", checked.stdout);
    assert!(!checked.stdout.contains('\u{1b}'));
    assert_eq!(checked.code, 1);
}

/// Standard input is `-`, of any size: what is read goes through little memory, binary or not, with lines or without.
#[test]
fn standard_input_is_read_however_long_and_whatever_it_is() {
    let secret = token();
    let noise: Vec<u8> = random_bytes::<4096>().repeat(2048);
    let line = vec![b'a'; 8 << 20];
    for (case, before, line, column) in [
        ("nothing", &b""[..], 1, Some(1)),
        (
            "a long line",
            &[&line[..], b" "].concat(),
            1,
            Some((8 << 20) + 2),
        ),
        ("binary", &[&noise[..], b"\n\0"].concat(), 0, None),
        (
            "many lines",
            &b"\r\n".repeat(1 << 20),
            (1 << 20) + 1,
            Some(1),
        ),
    ] {
        let input = [before, secret.as_bytes(), b"\0\0"].concat();
        let checked = check_with(Path::new("/"), &["-", "--json"], &input);
        let told: Value = serde_json::from_str(&checked.stdout).expect("JSON");
        assert_eq!(told.as_array().map(Vec::len), Some(1), "{case}: {told}");
        assert_eq!(told[0]["file"], "-", "{case}");
        assert_eq!(told[0]["hint"], hint(&secret), "{case}");
        if let Some(column) = column {
            assert_eq!(told[0]["line"], line, "{case}");
            assert_eq!(told[0]["column"], column, "{case}");
        }
        assert_eq!(checked.code, 1, "{case}");
    }
}

/// Little memory: a line of 400 MB goes through a process that may have half of that.
#[test]
fn a_stream_of_any_length_takes_little_memory() {
    let secret = token();
    let script = format!(
        "ulimit -v 200000; (head -c 400000000 /dev/zero | tr '\\0' a; echo \" {secret}\") | \
         {} leak-check -",
        Jeton::program().display()
    );
    let output = Command::new("bash").args(["-c", &script]).output();
    let output = output.expect("there is a bash");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.starts_with("-:1:400000002: "), "{told}: {output:?}");
}

/// Whoever has seen enough hangs up, and it ends, even if what it reads has no end.
#[test]
fn it_ends_when_nobody_reads_on() {
    let secret = token();
    let script = format!(
        "yes {secret} | timeout 30 {} leak-check - | head -n 1; echo ended by ${{PIPESTATUS[1]}}",
        Jeton::program().display()
    );
    let output = Command::new("bash").args(["-c", &script]).output();
    let output = output.expect("there is a bash");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("-:1:1: "), "{told}");
    assert_eq!(lines[1..], ["ended by 1"]);
}

/// Whatever is printed, a secret is not, and neither is more of it than its hint.
#[test]
fn no_secret_is_printed() {
    let folder = folder();
    let secrets = [token(), minted("acme", SecretKind::ClientSecret)];
    fs::write(folder.path().join("a"), secrets.join("\n")).unwrap();
    for args in [&["a"][..], &["a", "--json"], &["--sure", "."]] {
        let checked = check(folder.path(), args);
        for secret in &secrets {
            let more = &secret[..hint(secret).len() + 1];
            assert!(checked.stdout.contains(hint(secret)), "{args:?}");
            assert!(!checked.stdout.contains(more), "{args:?}");
        }
    }
}
