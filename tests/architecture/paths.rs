//! Paths as lists of names: out of `use` trees and out of the tokens of macros, which syn does not parse.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::{UseTree, ext::IdentExt, punctuated::Punctuated};

/// A path as it is written: names, and the line it starts on. A glob ends in `*`.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) names: Vec<String>,
    pub(crate) line: usize,
    /// Written with `::` before it: a crate.
    pub(crate) is_global: bool,
    /// It brings a name into scope.
    pub(crate) is_import: bool,
}

impl Written {
    /// The path of a type, an expression or an attribute.
    pub(crate) fn of(path: &syn::Path) -> Self {
        let names = path.segments.iter().map(|segment| name(&segment.ident)).collect();
        let line = path.segments.first().map_or(0, |segment| line(&segment.ident));
        Self { names, line, is_global: path.leading_colon.is_some(), is_import: false }
    }
}

/// Every path of an import, with the name it is known by afterwards.
pub(crate) fn imports(item: &syn::ItemUse) -> Vec<(Written, Option<String>)> {
    let mut found = Vec::new();
    let start = Written {
        names: Vec::new(),
        line: item.use_token.span.start().line,
        is_global: item.leading_colon.is_some(),
        is_import: true,
    };
    flatten(&item.tree, &start, &mut found);
    found
}

fn flatten(tree: &UseTree, before: &Written, found: &mut Vec<(Written, Option<String>)>) {
    let with = |name: String| {
        let mut path = before.clone();
        path.names.push(name);
        path
    };
    match tree {
        UseTree::Path(path) => flatten(&path.tree, &with(name(&path.ident)), found),
        UseTree::Group(group) => group.items.iter().for_each(|item| flatten(item, before, found)),
        UseTree::Glob(_) => found.push((with("*".to_owned()), None)),
        UseTree::Name(last) if last.ident == "self" && !before.names.is_empty() => {
            found.push((before.clone(), before.names.last().cloned()));
        }
        UseTree::Name(last) => found.push((with(name(&last.ident)), Some(name(&last.ident)))),
        UseTree::Rename(last) if last.ident == "self" && !before.names.is_empty() => {
            found.push((before.clone(), Some(name(&last.rename))));
        }
        UseTree::Rename(last) => found.push((with(name(&last.ident)), Some(name(&last.rename)))),
    }
}

/// Everything in a macro's tokens that reads like a path of two names or more, or renames the root.
pub(crate) fn in_tokens(tokens: TokenStream) -> Vec<Written> {
    let mut found = Vec::new();
    scan(tokens, None, &mut found);
    found
}

fn scan(tokens: TokenStream, before: Option<&Written>, found: &mut Vec<Written>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let is = |at: usize, c: char| matches!(trees.get(at), Some(TokenTree::Punct(p)) if p.as_char() == c);
    let is_colons = |at: usize| is(at, ':') && is(at.saturating_add(1), ':');
    let mut at = 0_usize;
    while let Some(tree) = trees.get(at) {
        let start = at;
        at = at.saturating_add(1);
        let first = match tree {
            TokenTree::Group(group) => {
                scan(group.stream(), None, found);
                continue;
            }
            TokenTree::Ident(first) => first,
            _ => continue,
        };
        if first == "as" {
            // What follows is a new name or a type; a type of two names is read as a path of its own.
            if before.is_some() {
                at = at.saturating_add(1);
            }
            continue;
        }
        // `$name` stands for what the caller writes; `$crate` is the root.
        if start.checked_sub(1).is_some_and(|before| is(before, '$')) && first != "crate" {
            continue;
        }
        let mut path = before.cloned().unwrap_or_else(|| Written {
            names: Vec::new(),
            line: line(first),
            is_global: start.checked_sub(2).is_some_and(is_colons),
            is_import: false,
        });
        path.names.push(name(first));
        let mut is_group = false;
        while is_colons(at) {
            match trees.get(at.saturating_add(2)) {
                Some(TokenTree::Ident(next)) => path.names.push(name(next)),
                Some(TokenTree::Punct(star)) if star.as_char() == '*' => path.names.push("*".to_owned()),
                Some(TokenTree::Group(group)) => {
                    scan(group.stream(), Some(&path), found);
                    is_group = true;
                }
                _ => break,
            }
            at = at.saturating_add(3);
        }
        let is_renamed = matches!(trees.get(at), Some(TokenTree::Ident(next)) if next == "as");
        let is_root = path.names.iter().all(|name| ["crate", "super", "self"].contains(&name.as_str()));
        path.is_import = is_root && is_renamed;
        if !is_group && (path.names.len() > 1 || path.is_import) {
            found.push(path);
        }
    }
}

/// Texts in an attribute that read like a path: `#[serde(with = "a::b")]`.
pub(crate) fn in_texts(tokens: TokenStream) -> Vec<Written> {
    let mut found = Vec::new();
    for tree in tokens {
        match tree {
            TokenTree::Group(group) => found.extend(in_texts(group.stream())),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                if let Ok(path) = syn::parse_str::<syn::Path>(text.trim_matches('"')) {
                    found.push(Written { line: literal.span().start().line, ..Written::of(&path) });
                }
            }
            _ => {}
        }
    }
    found
}

/// The paths that `derive` lists.
pub(crate) fn derived(list: &syn::MetaList) -> Vec<Written> {
    let paths = list.parse_args_with(Punctuated::<syn::Path, syn::Token![,]>::parse_terminated);
    paths.iter().flatten().map(Written::of).collect()
}

fn name(ident: &Ident) -> String {
    ident.unraw().to_string()
}

fn line(ident: &Ident) -> usize {
    ident.span().start().line
}
