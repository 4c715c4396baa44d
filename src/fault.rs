//! What is wrong with the settings, collected.

use std::fmt;

/// One fault: where it is, and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The variable's name, as the operator spelled it.
    pub variable: String,
    /// The field in it, such as `[0].issuer`; empty for the variable as a whole.
    pub field: String,
    pub expected: String,
    /// What was written instead, or what may have been meant; empty where there is nothing to say.
    /// Never a secret, nor a part of one.
    pub hint: String,
}

impl Fault {
    pub fn new(variable: &str, field: &str, expected: impl Into<String>) -> Self {
        let (variable, field) = (variable.to_owned(), field.to_owned());
        Self { variable, field, expected: expected.into(), hint: String::new() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}: expected {}", self.variable, self.field, self.expected)?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, "; {}", self.hint) }
    }
}

/// What is sound, and yet will surprise: where it is, and what will happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// As in a fault, like the field.
    pub variable: String,
    pub field: String,
    pub text: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}: {}", self.variable, self.field, self.text)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Faults {
    faults: Vec<Fault>,
    warnings: Vec<Warning>,
}

impl Faults {
    #[cold]
    #[inline(never)]
    pub(crate) fn add(&mut self, variable: &str, field: &str, expected: impl Into<String>) {
        self.add_hinted(variable, field, expected, String::new());
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn add_hinted(
        &mut self,
        variable: &str,
        field: &str,
        expected: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.faults.push(Fault { hint: hint.into(), ..Fault::new(variable, field, expected) });
    }

    /// Adds a fault that several resources have in common once.
    pub(crate) fn add_once(&mut self, fault: Fault) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    pub(crate) fn warn(&mut self, variable: &str, field: &str, text: impl Into<String>) {
        self.warnings.push(Warning {
            variable: variable.to_owned(),
            field: field.to_owned(),
            text: text.into(),
        });
    }

    pub(crate) fn count(&self) -> usize {
        self.faults.len()
    }

    /// The warnings, if there is no fault.
    pub(crate) fn into_result(self) -> Result<Vec<Warning>, Vec<Fault>> {
        if self.faults.is_empty() { Ok(self.warnings) } else { Err(self.faults) }
    }
}
