//! What each room may name, checked on the syntax tree.
//!
//! Only paths that start at the root (`crate`, `super`, `self`) can leave a room, because the root may have no
//! other name and no room re-exports another; so looking at how a path begins is enough.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use syn::{
    Attribute, File, Item, Meta,
    visit::{self, Visit},
};

use crate::paths::{self, Written};

/// One row of the table of rooms.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) name: &'static str,
    pub(crate) may_import: &'static [&'static str],
    pub(crate) may_use_crates: &'static [&'static str],
    pub(crate) may_wait: bool,
}

/// For the room that may use every crate.
pub(crate) const ANY_CRATE: &[&str] = &["*"];

const STANDARD: [&str; 3] = ["std", "core", "alloc"];
const PRIMITIVES: [&str; 17] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8", "u16", "u32",
    "u64", "u128", "usize",
];
const TOOLS: [&str; 3] = ["clippy", "rustdoc", "rustfmt"];

/// What is wrong with the text of a module (`journeys::one_tap`; empty for the root).
pub(crate) fn breaches(rooms: &[Room], module: &str, source: &str) -> Vec<String> {
    let module: Vec<String> = module.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect();
    read(rooms, module, source, false).breaches
}

/// What is wrong with a source folder.
pub(crate) fn breaches_below(rooms: &[Room], src: &Path) -> Vec<String> {
    let mut found = Vec::new();
    walk(rooms, src, &mut |file, reader| {
        found.extend(reader.breaches.iter().map(|breach| format!("{}:{breach}", file.display())));
    });
    found
}

/// The files that the modules of a source folder stand in.
pub(crate) fn files_below(src: &Path) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    walk(&[], src, &mut |file, _| {
        files.insert(file.to_owned());
    });
    files
}

fn walk(rooms: &[Room], src: &Path, each: &mut impl FnMut(&Path, &Reader<'_>)) {
    let mut open = vec![(Vec::new(), false)];
    while let Some((module, in_test)) = open.pop() {
        let place = src.join(module.join("/"));
        let candidates = if module.is_empty() {
            vec![src.join("lib.rs")]
        } else {
            vec![place.with_extension("rs"), place.join("mod.rs")]
        };
        let file = candidates.into_iter().find(|file| file.is_file());
        let file = file.unwrap_or_else(|| panic!("no file for module {}", module.join("::")));
        let reader = read(rooms, module, &fs::read_to_string(&file).unwrap(), in_test);
        each(&file, &reader);
        open.extend(reader.children);
    }
}

fn read<'r>(rooms: &'r [Room], module: Vec<String>, source: &str, in_test: bool) -> Reader<'r> {
    let file: File = syn::parse_file(source).unwrap_or_else(|error| panic!("{}: {error}", module.join("::")));
    let mut bound = Bound::default();
    bound.visit_file(&file);
    let room = module.first().and_then(|name| rooms.iter().find(|room| room.name == *name));
    let is_root = module.is_empty();
    let mut reader =
        Reader { rooms, room, module, in_test, bound: bound.0, breaches: Vec::new(), children: Vec::new() };
    if is_root && file.items.iter().any(|item| !matches!(item, Item::Mod(item) if item.content.is_none())) {
        reader.breach(1, "the root only names the rooms".to_owned());
    }
    reader.visit_file(&file);
    reader
}

/// The names that a file brings into scope other than crates: they start no path that leads elsewhere.
#[derive(Default)]
struct Bound(BTreeSet<String>);

impl<'ast> Visit<'ast> for Bound {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.0.insert(item.ident.to_string());
        visit::visit_item_mod(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        // A crate's own name stays a crate's name.
        let renamed = |(path, known): (Written, Option<String>)| {
            known.filter(|known| path.names.len() > 1 || path.names.first() != Some(known))
        };
        self.0.extend(paths::imports(item).into_iter().filter_map(renamed));
    }
}

struct Reader<'r> {
    rooms: &'r [Room],
    room: Option<&'r Room>,
    module: Vec<String>,
    in_test: bool,
    bound: BTreeSet<String>,
    breaches: Vec<String>,
    children: Vec<(Vec<String>, bool)>,
}

impl Reader<'_> {
    fn breach(&mut self, line: usize, problem: String) {
        self.breaches.push(format!("{line}: {problem}"));
    }

    /// Where a path leads from the root; `None` when it does not start there.
    fn place_of(&self, path: &Written) -> Option<Vec<String>> {
        if path.is_global {
            return None;
        }
        let mut place = match path.names.first()?.as_str() {
            "crate" => Vec::new(),
            "self" | "super" => self.module.clone(),
            _ => return None,
        };
        for name in &path.names {
            match name.as_str() {
                "crate" | "self" => {}
                "super" => drop(place.pop()),
                name => place.push(name.to_owned()),
            }
        }
        Some(place)
    }

    fn judge(&mut self, path: &Written) {
        match self.place_of(path) {
            Some(place) => self.judge_room(path, place.first().map(String::as_str)),
            None => self.judge_crate(path),
        }
    }

    fn judge_room(&mut self, path: &Written, to: Option<&str>) {
        let Some(room) = self.room else { return };
        let problem = match to {
            None if !path.is_import => return,
            None | Some("*") => "another name for the root hides where paths lead".to_owned(),
            Some(to) if to == room.name || room.may_import.contains(&to) => return,
            Some(to) if self.rooms.iter().all(|room| room.name != to) => format!("{to} is not a room"),
            Some(to) => format!("{} must not import {to}", room.name),
        };
        self.breach(path.line, problem);
    }

    fn judge_crate(&mut self, path: &Written) {
        let (Some(room), Some(first)) = (self.room, path.names.first()) else { return };
        let is_crate = path.is_global
            || (first.chars().all(|c| !c.is_uppercase())
                && (path.is_import || path.names.len() > 1)
                && !self.bound.contains(first));
        let is_harmless =
            [&STANDARD[..], &PRIMITIVES, &TOOLS].iter().any(|names| names.contains(&first.as_str()));
        let is_allowed =
            self.in_test || room.may_use_crates == ANY_CRATE || room.may_use_crates.contains(&first.as_str());
        if is_crate && !is_harmless && !is_allowed {
            self.breach(path.line, format!("{} must not use the crate {first}", room.name));
        }
    }

    fn judge_wait(&mut self, line: usize) {
        if let Some(room) = self.room.filter(|room| !room.may_wait && !self.in_test) {
            self.breach(line, format!("{} must not be async", room.name));
        }
    }

    /// Reads `<T>::name`, where `name` starts no path.
    fn associated(&mut self, of: &syn::QSelf, path: &syn::Path) {
        self.visit_qself(of);
        path.segments.iter().for_each(|segment| self.visit_path_segment(segment));
    }

    /// Reads an item, as a part of the tests if it is marked so.
    fn item(&mut self, attributes: &[Attribute], read: impl FnOnce(&mut Self)) {
        let before = self.in_test;
        self.in_test |= attributes.iter().any(is_test_only);
        read(self);
        self.in_test = before;
    }
}

fn is_test_only(attribute: &Attribute) -> bool {
    matches!(&attribute.meta, Meta::List(list) if list.path.is_ident("cfg") && list.tokens.to_string() == "test")
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.attrs.iter().any(|attribute| attribute.path().is_ident("path")) {
            self.breach(item.ident.span().start().line, "a module must stand where its name says".to_owned());
        }
        self.item(&item.attrs, |reader| {
            reader.module.push(item.ident.to_string());
            if item.content.is_none() {
                reader.children.push((reader.module.clone(), reader.in_test));
            }
            visit::visit_item_mod(reader, item);
            reader.module.pop();
        });
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.item(&item.attrs, |reader| {
            for (path, _) in paths::imports(item) {
                reader.judge(&path);
                let to = reader.place_of(&path).and_then(|place| place.into_iter().next());
                if let (Some(room), Some(to)) = (reader.room, to)
                    && to != room.name
                    && !matches!(item.vis, syn::Visibility::Inherited)
                {
                    reader.breach(path.line, format!("{} must not re-export {to}", room.name));
                }
            }
        });
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        self.breach(item.ident.span().start().line, "extern crate hides where paths lead".to_owned());
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.item(&item.attrs, |reader| visit::visit_item_fn(reader, item));
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.item(&item.attrs, |reader| visit::visit_item_impl(reader, item));
    }

    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        match &path.qself {
            Some(of) if of.position == 0 => self.associated(of, &path.path),
            _ => visit::visit_expr_path(self, path),
        }
    }

    fn visit_type_path(&mut self, path: &'ast syn::TypePath) {
        match &path.qself {
            Some(of) if of.position == 0 => self.associated(of, &path.path),
            _ => visit::visit_type_path(self, path),
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.judge(&Written::of(path));
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        paths::in_tokens(call.tokens.clone()).iter().for_each(|path| self.judge(path));
        visit::visit_macro(self, call);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            let tokens = || list.tokens.clone();
            let found = [paths::in_tokens(tokens()), paths::in_texts(tokens()), paths::derived(list)];
            found.iter().flatten().for_each(|path| self.judge(path));
        }
        visit::visit_attribute(self, attribute);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        if signature.asyncness.is_some() {
            self.judge_wait(signature.ident.span().start().line);
        }
        visit::visit_signature(self, signature);
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.judge_wait(block.async_token.span.start().line);
        visit::visit_expr_async(self, block);
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        if let Some(token) = &closure.asyncness {
            self.judge_wait(token.span.start().line);
        }
        visit::visit_expr_closure(self, closure);
    }
}
