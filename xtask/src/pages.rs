//! Checks that links between pages work and that tests named on a page exist.

use std::path::Path;

use anyhow::ensure;

use crate::tidy;

/// Checks every tracked page.
pub(crate) fn run() -> anyhow::Result<()> {
    let (mut count, mut wrong) = (0, Vec::new());
    for path in tidy::tracked()?.iter().filter(|path| path.ends_with(".md")) {
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        let folder = Path::new(path).parent().unwrap_or(Path::new(""));
        for (label, target) in links(&text) {
            count += 1;
            if let Err(what) = follow(folder, label, target) {
                wrong.push(format!("{path}: [{label}]({target}): {what}"));
            }
        }
    }
    ensure!(wrong.is_empty(), "broken links:\n  {}", wrong.join("\n  "));
    println!("{count} links between pages and to tests, none broken");
    Ok(())
}

/// Label and target of each link to a file of the repository.
fn links(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.match_indices("](").filter_map(|(at, _)| {
        let label = &text[text[..at].rfind('[')? + 1..at];
        let target = &text[at + 2..at + 2 + text[at + 2..].find(')')?];
        let elsewhere = target.contains("://") || target.starts_with('#');
        (!elsewhere).then_some((label, target))
    })
}

/// The file must exist; a link from a function's name to a source file also needs the function, and a link to a heading
/// the heading.
fn follow(folder: &Path, label: &str, target: &str) -> Result<(), &'static str> {
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let path = folder.join(file);
    let bytes = std::fs::read(&path).map_err(|_| "no such file")?;
    // A picture has no headings.
    let text = String::from_utf8_lossy(&bytes);
    let function = label.trim_matches('`');
    if file.ends_with(".rs") && !text.contains(&format!("fn {function}(")) && !text.contains(&format!("fn {function}<"))
    {
        return Err("no such function there");
    }
    let named = |line: &str| line.starts_with('#') && slug(line.trim_start_matches('#')) == heading;
    if !heading.is_empty() && !text.lines().any(named) {
        return Err("no such heading there");
    }
    Ok(())
}

/// A heading's anchor, as GitHub makes it.
fn slug(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading.trim().to_lowercase().chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_and_followed() {
        let text = "see [a](b.md#c-d), [x](https://example.com) and ![picture](p.svg)";
        assert_eq!(links(text).collect::<Vec<_>>(), [("a", "b.md#c-d"), ("picture", "p.svg")]);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        assert!(follow(&folder, "`slug`", "pages.rs").is_ok());
        assert!(follow(&folder, "`slag`", "pages.rs").is_err() && follow(&folder, "x", "none.md").is_err());
        assert_eq!(slug(" Kill and resume"), "kill-and-resume");
    }
}
