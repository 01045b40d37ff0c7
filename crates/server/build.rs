//! Sees to it that a page that was built is taken in, and that a release that must have one does.
//!
//! It never builds the page itself: that takes npm, which a build of the program must not need.

use std::path::Path;

fn main() {
    let dist = Path::new("../../ui/dist");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=GRAFT_REQUIRE_PAGE");
    // A folder that isn't there would count as changed at every build.
    if dist.exists() {
        println!("cargo:rerun-if-changed=../../ui/dist");
    } else {
        println!("cargo:rerun-if-changed=../../ui");
    }
    let required = std::env::var("GRAFT_REQUIRE_PAGE").is_ok_and(|value| value == "1");
    if required && !dist.join("index.html").exists() {
        println!("cargo:warning=ui/dist is missing; run `npm ci && npm run build` in ui first");
        std::process::exit(1);
    }
}
