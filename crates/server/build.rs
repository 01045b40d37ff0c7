//! Sees to it that a page that was built is taken in, and that a release build has one unless told otherwise:
//! `GRAFT_REQUIRE_PAGE=0` lets it go without, `1` demands it of other builds too.
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
    let required = match std::env::var("GRAFT_REQUIRE_PAGE").as_deref() {
        Ok("0") => false,
        Ok("1") => true,
        _ => std::env::var("PROFILE").is_ok_and(|profile| profile == "release"),
    };
    if required && !dist.join("index.html").exists() {
        println!(
            "cargo::error=the page is not built, and a release holds it: run `npm ci && npm run build` in ui first"
        );
        println!("cargo::error=(or set GRAFT_REQUIRE_PAGE=0 for a program without the page)");
    }
}
