use std::fmt;

/// A value about a patient that never shows itself.
///
/// `Debug` prints a placeholder, and there is no `Display`. The value is reached with
/// [`expose`](Self::expose), so that every place that looks at patient data can be found by name.
///
/// ```
/// use nhs_types::Sensitive;
/// let diagnosis = Sensitive::new("coeliac disease".to_owned());
/// assert_eq!(format!("{diagnosis:?}"), "Sensitive([redacted])");
/// assert_eq!(diagnosis.expose(), "coeliac disease");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, to be used where it is needed and nowhere else.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value, taken out of its wrapper.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sensitive([redacted])")
    }
}

impl<T> From<T> for Sensitive<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_is_the_same_whatever_is_inside() {
        let short = format!("{:?}", Sensitive::new("a"));
        let long = format!("{:?}", Sensitive::new("a".repeat(90)));
        assert_eq!(short, long);
    }

    #[test]
    fn value_comes_back() {
        assert_eq!(Sensitive::from(7_u8).into_exposed(), 7);
    }
}
