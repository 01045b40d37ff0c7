//! Line charts as SVG, both axes by powers of two.

use std::fmt::Write as _;

use super::report::plain;

/// A line of a chart: its name, colour, and points.
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) color: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

/// A chart; all lines share the marks along its axis.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    pub(super) axis: &'a str,
    pub(super) marks: &'a [f64],
    pub(super) lines: Vec<Line>,
}

const WIDTH: f64 = 280.0;
const HEIGHT: f64 = 230.0;

/// Two charts a row.
pub(super) fn svg(charts: &[Chart]) -> String {
    let height = 330 * charts.len().div_ceil(2);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 {height}\" font-family=\"sans-serif\" font-size=\"12\">\
        <rect width=\"760\" height=\"{height}\" fill=\"white\"/>\n"
    );
    for (index, chart) in charts.iter().enumerate() {
        let (left, top) = (380 * (index % 2) + 60, 330 * (index / 2));
        let _ = writeln!(svg, "<g transform=\"translate({left} {top})\">");
        draw(&mut svg, chart);
        svg += "</g>\n";
    }
    svg + "</svg>\n"
}

fn draw(svg: &mut String, chart: &Chart) {
    let all = chart.lines.iter().flat_map(|line| &line.points).map(|point| point.1);
    let (low, high) = all.fold((f64::INFINITY, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)));
    let (low, high) = (low.log2().floor(), high.log2().ceil());
    let height = |v: f64| 40.0 + HEIGHT * (1.0 - (v.log2() - low) / (high - low).max(1.0));
    let (first, last) = (chart.marks.first().copied().unwrap_or(1.0), chart.marks.last().copied().unwrap_or(2.0));
    let along = |at: f64| WIDTH * (at / first).log2() / (last / first).log2();
    let _ = writeln!(svg, "<text y=\"24\" font-weight=\"bold\">{}</text>", chart.title);
    for power in low as i32..=high as i32 {
        let (y, label) = (height(2_f64.powi(power)), plain(2_f64.powi(power)));
        let _ = writeln!(
            svg,
            "<path d=\"M0 {y:.1}h{WIDTH}\" stroke=\"#ddd\"/><text x=\"-6\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            y + 4.0
        );
    }
    for &mark in chart.marks {
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"290\" text-anchor=\"middle\">{mark}</text>", along(mark));
    }
    let _ = writeln!(svg, "<text x=\"{}\" y=\"312\" text-anchor=\"middle\">{}</text>", WIDTH / 2.0, chart.axis);
    for (index, Line { name, color, points }) in chart.lines.iter().enumerate() {
        let line: Vec<String> = points.iter().map(|p| format!("{:.1},{:.1}", along(p.0), height(p.1))).collect();
        let line = line.join(" ");
        let _ = writeln!(svg, "<polyline points=\"{line}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>");
        let _ = writeln!(svg, "<text x=\"10\" y=\"{}\" fill=\"{color}\">{name}</text>", 44 + 16 * index);
    }
}
