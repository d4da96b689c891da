//! Calls of functions, and those functions that take expressions: `try`, `can`, `type`, `convert`.

use std::path::Path;
use std::time::SystemTime;

use ecow::{EcoString, eco_format};
use plumb_functions::{Context, ErrorKind, FileError, FileKind, Function, FunctionError, Origin};
use plumb_model::diagnostic::did_you_mean;
use plumb_model::{Diagnostic, Diagnostics, Marks, SourceId, Span, Type, Value};
use plumb_syntax::Dialect;
use plumb_syntax::Origin as TextOrigin;
use plumb_syntax::parse_template;
use plumb_syntax::tree::{Call, Expr, ExprKind, Traversal};

use super::{Eval, Failed, Names, Outcome, Rules};
use crate::callee::{self, Callee};
use crate::eval::{Phase, ProviderFunctions};
use crate::program::Declarations;
use crate::types::define::Defined;
use crate::types::hold::{Place, diagnostics as misfits, hold};
use crate::world::{PathKind, World, WorldError};

/// How deep templates may be rendered within each other; deeper is taken for endless.
const MAX_TEMPLATE_DEPTH: u32 = 8;

/// What functions need to know.
pub(crate) struct FunctionContext<'a> {
    /// Files, environment and time; without a world only functions of values work.
    pub world: &'a dyn World,
    /// How far values can be known.
    pub phase: Phase,
    /// The time at which the plan began.
    pub plan_time: Option<SystemTime>,
    /// Functions of providers.
    pub provider_functions: Option<&'a dyn ProviderFunctions>,
    /// How many templates are being rendered within each other.
    pub template_depth: u32,
    /// As in [`Rules`]; templates then cannot be nested.
    pub strict: bool,
    /// The language that templates are read in.
    pub dialect: Dialect,
    /// What the module declares whose expression it is.
    pub declared: Option<&'a Declarations>,
}

impl<'a> FunctionContext<'a> {
    /// For expressions that are evaluated without a program.
    pub(crate) fn alone(world: &'a dyn World, dialect: Dialect) -> FunctionContext<'a> {
        FunctionContext {
            world,
            phase: Phase::Apply,
            plan_time: None,
            provider_functions: None,
            template_depth: 0,
            strict: false,
            dialect,
            declared: None,
        }
    }
}

impl From<WorldError> for FileError {
    fn from(error: WorldError) -> FileError {
        FileError { text: error.text, absent: error.absent }
    }
}

fn file_kind(kind: PathKind) -> FileKind {
    match kind {
        PathKind::Absent => FileKind::Absent,
        PathKind::File => FileKind::File,
        PathKind::Directory => FileKind::Directory,
        PathKind::Other => FileKind::Other,
    }
}

impl Context for FunctionContext<'_> {
    fn read_file(&self, path: &str) -> Result<Vec<u8>, FileError> {
        Ok(self.world.read(Path::new(path))?)
    }

    fn file_kind(&self, path: &str) -> FileKind {
        file_kind(self.world.kind(Path::new(path)))
    }

    fn list_directory(&self, path: &str) -> Result<Vec<(EcoString, FileKind)>, FileError> {
        let names = self.world.list(Path::new(path))?;
        Ok(names.into_iter().map(|(name, kind)| (name, file_kind(kind))).collect())
    }

    fn working_directory(&self) -> String {
        self.world.cwd().to_string_lossy().into_owned()
    }

    fn home_directory(&self) -> Option<String> {
        self.world.home().map(|home| home.to_string_lossy().into_owned())
    }

    fn defers_impure(&self) -> bool {
        self.phase != Phase::Apply
    }

    fn now(&self) -> SystemTime {
        self.world.now()
    }

    fn plan_time(&self) -> Option<SystemTime> {
        self.plan_time
    }

    fn random(&self, bytes: &mut [u8]) {
        self.world.random(bytes);
    }

    fn read_definitions(&self, source: &str) -> Result<Value, FunctionError> {
        let mut found = Diagnostics::new();
        let none = SourceId(u32::MAX);
        let values = crate::inputs::read_variable_file(self.world, none, "variables", source, &mut found);
        if found.has_errors() {
            return Err(FunctionError::argument(0, in_template(&found, source, "variables")));
        }
        Ok(Value::object(values.into_iter().map(|(name, _, value)| (name, value)).collect::<Vec<_>>()))
    }

    fn render_template(&self, source: &str, name: &str, variables: &Value) -> Result<Value, FunctionError> {
        let deepest = if self.strict { 1 } else { MAX_TEMPLATE_DEPTH };
        if self.template_depth >= deepest {
            return Err(FunctionError::failed(format!(
                "{name}: templates are nested more than {deepest} deep"
            )));
        }
        // The text belongs to no source that the author can be shown, so places become part of the words.
        let origin = TextOrigin::whole(SourceId(u32::MAX));
        let parsed = parse_template(&origin, source, self.dialect);
        if parsed.diagnostics.has_errors() {
            return Err(FunctionError::failed(in_template(&parsed.diagnostics, source, name)));
        }
        let context = FunctionContext {
            world: self.world,
            phase: self.phase,
            plan_time: self.plan_time,
            provider_functions: None,
            template_depth: self.template_depth + 1,
            strict: self.strict,
            dialect: self.dialect,
            declared: None,
        };
        let names = TemplateNames { variables };
        let eval = Eval::new(&names, &context, Rules::of(self.dialect));
        eval.finish(&parsed.tree).map_err(|found| FunctionError::failed(in_template(&found, source, name)))
    }
}

/// The first error of a template as words.
fn in_template(found: &Diagnostics, source: &str, name: &str) -> String {
    let Some(error) = found.iter().find(|diagnostic| diagnostic.is_error()) else {
        return format!("{name}: the template has no value");
    };
    let before = error.span().and_then(|span| source.get(..span.start as usize)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let detail = error.detail.trim_end_matches('.');
    format!("{name}:{line},{column}: {}: {detail}", error.summary)
}

/// The variables of a template.
struct TemplateNames<'a> {
    variables: &'a Value,
}

impl Names for TemplateNames<'_> {
    fn lookup(&self, traversal: &Traversal, diagnostics: &mut Diagnostics) -> Outcome<(Value, usize)> {
        let name = traversal.root.as_str();
        match self.variables.get(name) {
            Some(value) => Ok((value.clone().with_marks(self.variables.marks()), 0)),
            None => {
                let names = self.variables.as_entries().into_iter().flat_map(|entries| entries.keys());
                diagnostics.push(
                    Diagnostic::error("unknown-template-variable", "Unknown template variable")
                        .detail(eco_format!(
                            "The variables given to the template have no `{name}`; a template sees nothing else."
                        ))
                        .at(traversal.root.span)
                        .maybe_help(did_you_mean(name, names.map(EcoString::as_str))),
                );
                Err(Failed)
            }
        }
    }
}

impl<'a> Eval<'a> {
    pub(super) fn call(&mut self, call: &Call, span: Span) -> Outcome {
        let name = call.full_name();
        match self.callee(call, &name) {
            Ok(Callee::Builtin(function)) if function.takes_expressions() => {
                self.call_with_expressions(function, call, span)
            }
            Ok(Callee::Builtin(function)) => self.call_builtin(function, call, span),
            Ok(Callee::Declared(home, decl)) => self.call_declared(home, decl, call),
            Ok(Callee::Provider) => self.call_provider(call, span),
            Err(diagnostic) => {
                // The arguments may have mistakes of their own.
                for argument in &call.arguments {
                    let _ = self.eval(argument);
                }
                self.fail(*diagnostic)
            }
        }
    }

    fn callee(&self, call: &Call, name: &str) -> Result<Callee<'a>, Box<Diagnostic>> {
        let offered = |function: &Function| {
            (!self.rules.strict || function.origin == Origin::Common)
                && (function.signature.name != "plantimestamp"
                    || self.functions.plan_time.is_some()
                    || self.functions.phase == Phase::Validate)
        };
        match callee::resolve(self.functions.declared, call)? {
            Callee::Builtin(function) if !offered(function) => {
                Err(Box::new(callee::unknown_function(self.functions.declared, call)))
            }
            Callee::Provider => match plumb_functions::lookup(name) {
                Some(function) if self.names.provider(&call.namespaces[1].name).is_some() => {
                    Ok(Callee::Builtin(function))
                }
                _ => Ok(Callee::Provider),
            },
            found => Ok(found),
        }
    }

    /// The values of the arguments; `None` if how many there are is unknown. Marks of an expanded sequence apart.
    pub(super) fn arguments(&mut self, call: &Call) -> Outcome<(Option<Vec<Value>>, Marks)> {
        let mut values = Vec::with_capacity(call.arguments.len());
        let mut failed = false;
        for argument in &call.arguments {
            match self.eval(argument) {
                Ok(value) => values.push(value),
                Err(Failed) => failed = true,
            }
        }
        if failed {
            return Err(Failed);
        }
        let (Some(dots), Some(last)) = (call.expand_final, call.arguments.last()) else {
            return Ok((Some(values), Marks::NONE));
        };
        let expanded = values.pop().unwrap_or(Value::NULL);
        let (inner, marks) = expanded.unmark();
        match (inner, inner.as_items()) {
            (_, Some(items)) => {
                values.extend_from_slice(items);
                Ok((Some(values), marks))
            }
            (Value::Unknown(unknown), _)
                if matches!(unknown.ty, Type::Dynamic | Type::List(_) | Type::Set(_) | Type::Tuple(_)) =>
            {
                Ok((None, marks))
            }
            _ => {
                let found = if inner.is_null() { "null".into() } else { inner.ty().friendly_name() };
                let diagnostic = Diagnostic::error("invalid-expansion", "Invalid expanding argument value")
                    .detail(eco_format!(
                        "What `...` expands into arguments must be a list, set or tuple, not {found}."
                    ))
                    .label(last.span, "this is expanded")
                    .label(dots, "");
                self.fail_at(diagnostic, last)
            }
        }
    }

    fn call_builtin(&mut self, function: &'static Function, call: &Call, span: Span) -> Outcome {
        if function.signature.name == "templatestring" {
            self.check_template_reference(call)?;
        }
        let (Some(values), marks) = self.arguments(call)? else {
            return Ok(Value::unknown(Type::Dynamic));
        };
        match plumb_functions::call(function, &values, self.functions) {
            Ok(value) => Ok(value.with_marks(marks)),
            Err(error) => {
                let parameter = error.argument.and_then(|index| function.signature.parameter(index));
                self.call_failed(call, span, &error, parameter.map(|parameter| parameter.name))
            }
        }
    }

    /// `templatestring` renders texts that come from elsewhere; a literal is a template already.
    fn check_template_reference(&mut self, call: &Call) -> Outcome<()> {
        let Some(first) = call.arguments.first() else { return Ok(()) };
        match &first.without_parens().kind {
            ExprKind::Traversal(_) | ExprKind::Access(_) => Ok(()),
            _ => {
                let diagnostic = Diagnostic::error("invalid-argument", "Invalid function argument")
                    .detail("The first argument of `templatestring` must be a reference to a template that comes from elsewhere, such as the attribute of a data resource.")
                    .at(first.span)
                    .help("To render a literal text, write `${ }` in it; to render a file, use `templatefile`.");
                self.fail(diagnostic)
            }
        }
    }

    fn call_failed(
        &mut self,
        call: &Call,
        span: Span,
        error: &FunctionError,
        parameter: Option<&'static str>,
    ) -> Outcome {
        let name = &call.name;
        let message = error.message.trim_end_matches('.');
        let diagnostic = match error.kind {
            ErrorKind::TooFewArguments => {
                Diagnostic::error("too-few-arguments", "Not enough function arguments")
                    .detail(eco_format!("{}.", capitalized(message)))
                    .at(call.arguments_span)
            }
            ErrorKind::TooManyArguments => {
                let extra = error.argument.and_then(|index| call.arguments.get(index));
                Diagnostic::error("too-many-arguments", "Too many function arguments")
                    .detail(eco_format!("{}.", capitalized(message)))
                    .at(extra.map_or(call.arguments_span, |extra| extra.span))
            }
            ErrorKind::InvalidArgument => {
                let parameter = parameter.map_or_else(EcoString::new, |name| eco_format!(" for `{name}`"));
                Diagnostic::error("invalid-argument", "Invalid function argument")
                    .detail(eco_format!("The value{parameter} given to `{name}` is not suitable: {message}."))
            }
            ErrorKind::Failed => Diagnostic::error("function-failed", "Error in function call")
                .detail(eco_format!("The call of `{name}` failed: {message}.")),
        };
        match error.argument.and_then(|index| call.arguments.get(index.min(call.arguments.len().max(1) - 1)))
        {
            _ if !diagnostic.labels.is_empty() => self.fail(diagnostic),
            Some(argument) => self.fail_at(diagnostic.at(argument.span), argument),
            None => {
                let diagnostic = diagnostic.at(span);
                match call.arguments.first() {
                    Some(first) if call.arguments.len() == 1 => self.fail_at(diagnostic, first),
                    _ => self.fail(diagnostic),
                }
            }
        }
    }

    fn call_provider(&mut self, call: &Call, span: Span) -> Outcome {
        let local = &call.namespaces[1].name;
        let Some(source) = self.names.provider(local) else {
            for argument in &call.arguments {
                let _ = self.eval(argument);
            }
            let diagnostic = Diagnostic::error("unknown-provider-function", "Unknown provider function")
                .detail(eco_format!("There is no provider with the local name `{local}` in this module."))
                .at(call.name_span)
                .help(eco_format!(
                    "Declare it: `terraform {{ required_providers {{ {local} = {{ source = \"…\" }} }} }}`."
                ));
            return self.fail(diagnostic);
        };
        let (Some(values), marks) = self.arguments(call)? else {
            return Ok(Value::unknown(Type::Dynamic));
        };
        let mut all = marks;
        let mut plain = Vec::with_capacity(values.len());
        for value in values {
            let (value, marks) = value.unmark_deep();
            all |= marks;
            plain.push(value);
        }
        let Some(functions) = self.functions.provider_functions else {
            return Ok(Value::unknown(Type::Dynamic).with_marks(all));
        };
        match functions.call(&source, &call.name.name, plain) {
            Ok(value) => Ok(value.with_marks(all)),
            Err((message, argument)) => {
                let error = match argument {
                    Some(index) => FunctionError::argument(index, message),
                    None => FunctionError::failed(message),
                };
                self.call_failed(call, span, &error, None)
            }
        }
    }

    fn call_with_expressions(&mut self, function: &'static Function, call: &Call, span: Span) -> Outcome {
        match (function.signature.name, call.arguments.as_slice()) {
            ("try", arguments @ [_, ..]) => self.try_each(arguments, span),
            ("can", [argument]) => self.can(argument),
            ("type", [argument]) => {
                Ok(Value::string(plumb_functions::console::print_type(&self.eval(argument)?.ty())))
            }
            ("convert", [value, ty]) => self.convert_to(value, ty),
            (name, arguments) => {
                let wanted = match name {
                    "try" => "at least 1 argument",
                    "convert" => "2 arguments",
                    _ => "1 argument",
                };
                let few = arguments.len() < 2;
                let (code, summary) = if few {
                    ("too-few-arguments", "Not enough function arguments")
                } else {
                    ("too-many-arguments", "Too many function arguments")
                };
                let detail = eco_format!("`{name}` takes {wanted}, and there are {}.", arguments.len());
                self.fail(Diagnostic::error(code, summary).detail(detail).at(call.arguments_span))
            }
        }
    }

    /// The value of the first expression that has one.
    fn try_each(&mut self, arguments: &[Expr], span: Span) -> Outcome {
        let mut reasons = Vec::new();
        for argument in arguments {
            if self.depends_on_unknown(argument) {
                return Ok(Value::unknown(Type::Dynamic));
            }
            match self.quietly(|eval| eval.eval(argument)) {
                Ok(value) if value.is_wholly_known() => return Ok(value),
                Ok(value) => return Ok(Value::unknown(Type::Dynamic).with_marks(value.marks())),
                Err(found) => {
                    if let Some(diagnostic) = found.iter().find(|diagnostic| super::is_static(diagnostic)) {
                        return self.fail(diagnostic.clone());
                    }
                    reasons.extend(found.iter().find(|diagnostic| diagnostic.is_error()).cloned());
                }
            }
        }
        let mut diagnostic = Diagnostic::error("function-failed", "Error in function call")
            .detail("The call of `try` failed: none of its expressions has a value.")
            .at(span)
            .help("Give a last argument that always has one, such as `null`.");
        for reason in reasons {
            diagnostic = match reason.span() {
                Some(place) => diagnostic.label(place, reason.detail.clone()),
                None => diagnostic.note(reason.detail.clone()),
            };
        }
        self.fail(diagnostic)
    }

    fn can(&mut self, argument: &Expr) -> Outcome {
        if self.depends_on_unknown(argument) {
            return Ok(Value::unknown_not_null(Type::Bool));
        }
        match self.quietly(|eval| eval.eval(argument)) {
            Ok(value) if value.is_wholly_known() => Ok(Value::Bool(true)),
            Ok(_) => Ok(Value::unknown_not_null(Type::Bool)),
            Err(found) => match found.iter().find(|diagnostic| super::is_static(diagnostic)) {
                Some(diagnostic) => self.fail(diagnostic.clone()),
                None => Ok(Value::Bool(false)),
            },
        }
    }

    /// Whether something that the expression mentions is not known, so that it could still fail.
    fn depends_on_unknown(&mut self, expr: &Expr) -> bool {
        let names = self.names;
        expr.references().any(|traversal| {
            if self.find_binding(&traversal.root.name).is_none() && names.is_known(traversal) {
                return false;
            }
            self.quietly(|eval| eval.traversal(traversal)).is_ok_and(|value| !value.is_wholly_known())
        })
    }

    fn convert_to(&mut self, value: &Expr, ty: &Expr) -> Outcome {
        let constant = |expr: &Expr| {
            Eval::new(&super::NoNames { place: "A type" }, self.functions, self.rules).finish(expr)
        };
        let mut found = Diagnostics::new();
        let scope = Defined(self.functions.declared);
        let dialect = self.functions.dialect;
        let constraint = crate::types::constraint(ty, dialect, &scope, &constant, &mut found);
        let failed = found.has_errors();
        self.diagnostics.extend(found);
        let result = self.eval(value)?;
        if failed {
            return Err(Failed);
        }
        if self.rules.native {
            return hold(&result, &constraint.shape).map_err(|found| {
                self.diagnostics.extend(misfits(found, "value", Place::Written(value)));
                Failed
            });
        }
        let result = match &constraint.defaults {
            Some(defaults) => plumb_model::defaults::apply(&result, defaults),
            None => result,
        };
        self.converted(&result, &constraint.ty, "The value", value)
    }
}

fn capitalized(text: &str) -> EcoString {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(EcoString::new, |first| eco_format!("{}{}", first.to_uppercase(), chars.as_str()))
}
