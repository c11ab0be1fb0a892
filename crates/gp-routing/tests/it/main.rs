//! The rules, examples and files of the gp-routing facts, through the public API alone.

#[cfg(test)]
mod contract;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod practice_table;
#[cfg(test)]
mod privacy;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod real_data;
#[cfg(test)]
mod recipients;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod support;
