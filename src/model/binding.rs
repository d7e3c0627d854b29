//! What becomes of an identifier that somebody has proven: the one rule of binding (its table: docs/ARCHITECTURE.md).

/// To whom an identifier leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leads {
    /// To nobody.
    Nowhere,
    /// To the account of who asks. Who is signed out has none: theirs is the account that it leads to.
    Here,
    /// To another account.
    Elsewhere,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visitor {
    /// Somebody at the door.
    SignedOut,
    /// Somebody with an account, which has so many identifiers of the kind already, of at most so many.
    SignedIn {
        /// Of the same kind.
        bound: usize,
        /// The policy.
        at_most: usize,
    },
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// A new account comes into being.
    Register,
    /// Its account is signed in to.
    SignIn,
    /// It leads to the account of who asks from now on.
    Bind,
    /// It does already.
    NothingToDo,
    /// It is somebody else's, of whom nothing is said.
    InUse,
    /// The account has as many of the kind as the policy allows: one of them must go first.
    Full,
}

/// The rule.
pub const fn decide(identifier: Leads, visitor: Visitor) -> Binding {
    match (identifier, visitor) {
        (Leads::Nowhere, Visitor::SignedOut) => Binding::Register,
        (Leads::Here | Leads::Elsewhere, Visitor::SignedOut) => Binding::SignIn,
        (Leads::Here, Visitor::SignedIn { .. }) => Binding::NothingToDo,
        (Leads::Elsewhere, Visitor::SignedIn { .. }) => Binding::InUse,
        (Leads::Nowhere, Visitor::SignedIn { bound, at_most }) if bound >= at_most => Binding::Full,
        (Leads::Nowhere, Visitor::SignedIn { .. }) => Binding::Bind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: usize = 1;
    const MANY: usize = 5;

    fn signed_in(bound: usize, at_most: usize) -> Visitor {
        Visitor::SignedIn { bound, at_most }
    }

    macro_rules! cells {
        ($($name:ident: $leads:ident, $caller:expr => $binding:ident;)*) => {$(
            #[test]
            fn $name() {
                assert_eq!(decide(Leads::$leads, $caller), Binding::$binding);
            }
        )*};
    }

    // Signed out there is nobody to have one of the kind, so neither it nor the policy counts.
    cells! {
        unknown_signed_out_registers: Nowhere, Visitor::SignedOut => Register;
        known_signed_out_signs_in: Here, Visitor::SignedOut => SignIn;
        anothers_signed_out_signs_in_to_the_other: Elsewhere, Visitor::SignedOut => SignIn;
        unknown_signed_in_with_none_under_one_binds: Nowhere, signed_in(0, ONE) => Bind;
        unknown_signed_in_with_one_under_one_is_full: Nowhere, signed_in(1, ONE) => Full;
        unknown_signed_in_with_none_under_many_binds: Nowhere, signed_in(0, MANY) => Bind;
        unknown_signed_in_with_one_under_many_binds: Nowhere, signed_in(1, MANY) => Bind;
        unknown_signed_in_with_all_under_many_is_full: Nowhere, signed_in(5, MANY) => Full;
        mine_signed_in_under_one_is_nothing_to_do: Here, signed_in(1, ONE) => NothingToDo;
        mine_signed_in_under_many_is_nothing_to_do: Here, signed_in(1, MANY) => NothingToDo;
        anothers_signed_in_with_none_under_one_is_in_use: Elsewhere, signed_in(0, ONE) => InUse;
        anothers_signed_in_with_one_under_one_is_in_use: Elsewhere, signed_in(1, ONE) => InUse;
        anothers_signed_in_with_none_under_many_is_in_use: Elsewhere, signed_in(0, MANY) => InUse;
        anothers_signed_in_with_one_under_many_is_in_use: Elsewhere, signed_in(1, MANY) => InUse;
    }
}
