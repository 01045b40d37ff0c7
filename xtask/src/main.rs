//! Tasks of the project: `cargo xtask help`.

mod parity;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["parity", folders @ ..] => parity::run(folders),
        _ => anyhow::bail!("usage: cargo xtask parity FOLDER…"),
    }
}
