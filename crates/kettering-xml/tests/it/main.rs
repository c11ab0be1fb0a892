//! The crate from outside: corpus, rules, properties, privacy, another parser's opinion.

#[cfg(test)]
mod build;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod other_parser;
#[cfg(test)]
mod privacy;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod support;
