//! Figures that are kept in the tree, `benches/figures/NAME.md`.

use std::fs;
use std::process::Command;

use crate::failure::Outcome;
use crate::process;
use crate::say::say;
use crate::workspace::Workspace;

/// A table whose first column is text and whose others are figures.
pub(crate) struct Table {
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(heads: &[&str]) -> Self {
        Self {
            heads: heads.iter().map(|head| (*head).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// As Markdown, with columns that stand under each other in a terminal too.
    pub(crate) fn to_markdown(&self) -> String {
        let widths: Vec<usize> = (0..self.heads.len())
            .map(|column| self.width(column))
            .collect();
        let mut text = line(&self.heads, &widths);
        let rule = widths
            .iter()
            .enumerate()
            .map(|(column, width)| match column {
                0 => "-".repeat(*width),
                _ => format!("{}:", "-".repeat(width.saturating_sub(1))),
            });
        text.push_str(&line(&rule.collect::<Vec<_>>(), &widths));
        for row in &self.rows {
            text.push_str(&line(row, &widths));
        }
        text
    }

    fn width(&self, column: usize) -> usize {
        let cells = std::iter::once(&self.heads).chain(&self.rows);
        let lengths = cells
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count());
        lengths.max().unwrap_or(0)
    }
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let mut text = String::from("|");
    for (column, (cell, &width)) in cells.iter().zip(widths).enumerate() {
        text.push_str(&match column {
            0 => format!(" {cell:<width$} |"),
            _ => format!(" {cell:>width$} |"),
        });
    }
    text.push('\n');
    text
}

/// Writes `benches/figures/NAME.md`: a title, the machine, and the text.
pub(crate) fn save(workspace: &Workspace, name: &str, title: &str, text: &str) -> Outcome {
    let folder = workspace.path("benches/figures");
    fs::create_dir_all(&folder)?;
    let page = format!("# {title}\n\n{}\n\n{text}", machine(workspace));
    fs::write(folder.join(format!("{name}.md")), page)?;
    say(format_args!("written: benches/figures/{name}.md"));
    Ok(())
}

fn machine(workspace: &Workspace) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let compiler = told(Command::new("rustc").arg("--version"));
    let git = ["describe", "--always", "--dirty", "--abbrev=10"];
    let commit = told(process::program(workspace, "git").args(git));
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    let cpu = cpu.map_or("unknown processor", |name| {
        name.trim_start_matches([' ', '\t', ':'])
    });
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown");
    format!("{cores} cores of {cpu}, load {load} at the end, {compiler}, commit {commit}.")
}

fn told(command: &mut Command) -> String {
    process::output(command).map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_to_the_right_and_names_to_the_left() {
        let mut table = Table::new(&["what", "ms"]);
        table.row(["read".to_owned(), "1.5".to_owned()]);
        table.row(["verify all".to_owned(), "120".to_owned()]);
        assert_eq!(
            table.to_markdown(),
            "| what       |  ms |\n\
             | ---------- | --: |\n\
             | read       | 1.5 |\n\
             | verify all | 120 |\n"
        );
    }
}
