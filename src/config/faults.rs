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
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}: expected {}", self.variable, self.field, self.expected)
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
pub(super) struct Faults {
    faults: Vec<Fault>,
    warnings: Vec<Warning>,
}

impl Faults {
    pub(super) fn add(&mut self, variable: &str, field: &str, expected: impl Into<String>) {
        self.faults.push(Fault {
            variable: variable.to_owned(),
            field: field.to_owned(),
            expected: expected.into(),
        });
    }

    /// Adds a fault that several resources have in common once.
    pub(super) fn add_once(&mut self, fault: Fault) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    pub(super) fn warn(&mut self, variable: &str, field: &str, text: impl Into<String>) {
        self.warnings.push(Warning {
            variable: variable.to_owned(),
            field: field.to_owned(),
            text: text.into(),
        });
    }

    pub(super) fn count(&self) -> usize {
        self.faults.len()
    }

    /// The warnings, if there is no fault.
    pub(super) fn into_result(self) -> Result<Vec<Warning>, Vec<Fault>> {
        if self.faults.is_empty() { Ok(self.warnings) } else { Err(self.faults) }
    }
}
