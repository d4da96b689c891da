//! The layout, by cases. Each expected text was made by `terraform fmt` from the text before it, except where it says otherwise.

use plumb_model::SourceId;
use plumb_syntax::{Dialect, format};

const SOURCE: SourceId = SourceId(0);

fn check_in(dialect: Dialect, text: &str, expected: &str) {
    let once = format(SOURCE, text, dialect).text;
    assert_eq!(once, expected, "from {text}");
    assert_eq!(format(SOURCE, &once, dialect).text, once, "a second time");
}

fn check(text: &str, expected: &str) {
    check_in(Dialect::Terraform, text, expected);
}

#[test]
fn blanks_between_tokens() {
    check("a=[for x in y:x]\n", "a = [for x in y : x]\n");
    check("a = {for k,v in y:k=>v...if z}\n", "a = { for k, v in y : k => v... if z }\n");
    check("a = x [0] . y [*]\n", "a = x[0].y[*]\n");
    check("a = f ( x,- 1,[ ],{ } , y ... )\n", "a = f(x, -1, [], {}, y...)\n");
    check("a = [ {a=1}, [ 1 ] ]\n", "a = [{ a = 1 }, [1]]\n");
    check("a = b?c:- d\n", "a = b ? c : -d\n");
    check("a = ! x&&y==-1\n", "a = !x && y == -1\n");
    check("a = provider :: b :: c ( 1 )\n", "a = provider::b::c(1)\n");
    check(
        "a = \"x${ y }%{ if  a  }b%{else}${~ c ~}%{ endif }\"\n",
        "a = \"x${y}%{if a}b%{else}${~c~}%{endif}\"\n",
    );
    check("a = \"x${ {b=1} }\"\n", "a = \"x${ { b = 1 } }\"\n");
    check("b \"x\" \"y\"{\n}\nc   { }\nd { x=1 }\n", "b \"x\" \"y\" {\n}\nc {}\nd { x = 1 }\n");
}

#[test]
fn cells_are_aligned() {
    check(
        "aa = 1\nb = <<EOT\nx ${ y }\nEOT\nccc = 3 # c\nd=4 // dd\n\n# own\neeee=5 /* x */\n  # own2\nf = [ # c\n1, # one\n22, # two\n]\n",
        "aa  = 1\nb   = <<EOT\nx ${y}\nEOT\nccc = 3 # c\nd   = 4 // dd\n\n# own\neeee = 5 /* x */\n# own2\nf = [ # c\n  1,  # one\n  22, # two\n]\n",
    );
    check("a = 1 # é\nbé = 2 # 日\n", "a  = 1 # é\nbé = 2 # 日\n");
}

#[test]
fn lines_are_indented_by_open_brackets() {
    check(
        "foo = [{\na = 1\n}, {\nbb = 2\n}]\nx = merge(y, {\na = 1\n})\n",
        "foo = [{\n  a = 1\n  }, {\n  bb = 2\n}]\nx = merge(y, {\n  a = 1\n})\n",
    );
    check("a {\n\n\tb=(\n1 +\n2)\n\n\n}\n", "a {\n\n  b = (\n    1 +\n  2)\n\n\n}\n");
}

#[test]
fn old_spellings() {
    check("a = \"${x}\"\nb = [\"${x}\"]\n", "a = x\nb = [\"${x}\"]\n");
    check("a = \"${\nf(\nx\n)\n}\"\n", "a = (f(\n  x\n))\n");
    check(
        "variable x {\n type = \"list\"\n}\nvariable y {\ntype=map\n}\n",
        "variable \"x\" {\n  type = list(string)\n}\nvariable \"y\" {\n  type = map(any)\n}\n",
    );
    // `terraform fmt` needs two runs for this one.
    check("a = \"${\"${x}\"}\"\n", "a = x\n");
    // `terraform fmt` takes the quotes away here, and what follows becomes invalid.
    check("a = \"${ # c\nx\n}\"\n", "a = \"${ # c\n  x\n}\"\n");
}

#[test]
fn ends_of_lines_stay() {
    check("a=1\r\nbb=2\r\n", "a  = 1\r\nbb = 2\r\n");
    check("a = 1", "a = 1");
    check("\n\na = 1 # c  \n\n\n", "\n\na = 1 # c  \n\n\n");
    check("", "");
}

#[test]
fn broken_items_are_copied_and_their_neighbours_laid_out() {
    let text = "a=1\nb   =  [1   2]\nccc=3\nx \"y\" {\n    d =   = 4\n}\ne=5\n";
    let result = format(SOURCE, text, Dialect::Terraform);
    assert_eq!(result.text, "a = 1\nb   =  [1   2]\nccc = 3\nx \"y\" {\n    d =   = 4\n}\ne = 5\n");
    assert_eq!(result.diagnostics.len(), 2);
}

#[test]
fn native_forms() {
    let native = |text: &str, expected: &str| check_in(Dialect::Native, text, expected);
    native("a = b??c ?. d\n", "a = b ?? c?.d\n");
    native("a = b?[ 0 ]\n", "a = b?[0]\n");
    native("a = [ ... b,... c ]\ni=... var\n", "a = [...b, ...c]\ni = ...var\n");
    native("a = object({ b=string?, ... })\n", "a = object({ b = string?, ... })\n");
    native("a = b\n&& c\n||d\n", "a = b\n  && c\n  || d\n");
    native("a = <<'E'\n  ${x }\nE\n", "a = <<'E'\n  ${x }\nE\n");
}
