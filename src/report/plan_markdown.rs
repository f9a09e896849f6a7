//! A plan as Markdown, for a comment on a merge request.
//!
//! All text of others stands in code spans, where nothing is a link, a mention or markup.

use std::fmt::Write as _;

use super::fit::cut;
use super::losses::losses;
use super::plan::PlanView;
use super::plan_text::{called, calls, place};
use super::review::{GroupView, Review, Sample};
use crate::model::display_safe;

/// Groups that are shown; the others are counted, since what takes comments does not take long ones.
const MOST_GROUPS: usize = 40;

/// Characters of a shape or a change.
const LONGEST: usize = 200;

/// The plan as Markdown (GitHub's and GitLab's dialect): what it comes to, the groups as a table, their samples folded.
/// `samples` of each group at most.
pub fn plan_markdown(view: &PlanView, samples: Option<usize>) -> String {
    let mut text = format!("## tagferry: plan of run {}\n\n", view.run);
    if let Some(about) = &view.about {
        let parts = [&about.job, &about.kind, &about.connection, &about.url].map(|part| code(part));
        let [job, kind, connection, url] = parts;
        // Writing to a string can't fail.
        let _ = writeln!(text, "{job} to {kind} at {connection} ({url})\n");
    }
    text += &counts(view);
    if let Some(lost) = losses(&view.plan.losses) {
        let _ = writeln!(text, "\nLosses: {lost}.");
    }
    for objection in &view.objections {
        let _ = writeln!(text, "\n**Refused:** {}", code(objection));
    }
    if let Some(review) = view.review.as_ref().filter(|review| review.changed > 0) {
        text += &changes(review, samples);
    }
    if !view.losses.is_empty() {
        text += "\n### Rows that can't be used\n\n| class | rows |\n|---|---:|\n";
        for loss in &view.losses {
            let _ = writeln!(text, "| {} | {} |", code(&loss.class), loss.rows);
        }
    }
    text
}

fn counts(view: &PlanView) -> String {
    let plan = &view.plan;
    let rejected: u64 = plan.rejected.values().sum();
    let sent = view
        .calls
        .as_ref()
        .map(|sent| format!("; calls: {}", calls(sent)));
    format!(
        "**{} of {} entities would change**: {} operations{}. Rows: {} read, {rejected} rejected.\n",
        plan.to_change,
        plan.entities,
        plan.operations,
        sent.unwrap_or_default(),
        plan.rows,
    )
}

fn changes(review: &Review, samples: Option<usize>) -> String {
    let mut text = "\n### Changes\n\n| entities | change | |\n|---:|---|---|\n".to_owned();
    let (shown, hidden) = review.groups.split_at(review.groups.len().min(MOST_GROUPS));
    for group in shown {
        let note = if group.exception { "exception" } else { "" };
        let _ = writeln!(
            text,
            "| {} | {} | {note} |",
            group.entities,
            code(&cut(&group.shape, LONGEST))
        );
    }
    if !hidden.is_empty() {
        let entities: u64 = hidden.iter().map(|group| group.entities).sum();
        let _ = writeln!(text, "| {entities} | in {} more shapes | |", hidden.len());
    }
    text + &sampled(shown, samples.unwrap_or(usize::MAX))
}

fn sampled(groups: &[GroupView], most: usize) -> String {
    let samples: Vec<&Sample> = groups
        .iter()
        .flat_map(|group| group.samples.iter().take(most))
        .collect();
    if samples.is_empty() {
        return String::new();
    }
    let mut text =
        "\n<details><summary>Samples</summary>\n\n| entity | row | change |\n|---|---|---|\n".to_owned();
    for sample in samples {
        let changes: Vec<String> = sample.changes.iter().map(ToString::to_string).collect();
        let place = place(sample).map(|place| code(&place)).unwrap_or_default();
        let change = code(&cut(&changes.join(", "), LONGEST));
        let _ = writeln!(text, "| {} | {place} | {change} |", code(&called(sample)));
    }
    text + "\n</details>\n"
}

/// A text as a code span that may stand in a table. A vertical bar ends a cell even there, so it is shown as its number.
fn code(text: &str) -> String {
    let text = display_safe(text).replace('|', "\\u{7c}");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // One space at either end is taken off again.
    let pad = if text.starts_with('`') || text.ends_with('`') || text.trim().is_empty() {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::plan::PlannedCalls;
    use crate::report::testing;

    fn view(objections: &[String]) -> PlanView {
        let sent = PlannedCalls {
            writes: 5,
            reads: 0,
            rate: None,
            seconds: None,
        };
        let view = PlanView::of(&testing::planned_run(10), objections).unwrap();
        view.with_review(testing::review()).with_calls(sent)
    }

    #[test]
    fn a_plan_is_a_comment_of_tables() {
        let want = "\
## tagferry: plan of run 7

`prod-hosts` to `HOST` at `dynatrace` (`https://abc12345.live.dynatrace.com`)

**0 of 10 entities would change**: 0 operations; calls: 5 writes. Rows: 10 read, 0 rejected.

**Refused:** `<b>no</b> @all`

### Changes

| entities | change | |
|---:|---|---|
| 1 | `env\\u{202e}: a\\u{7c}b\\n → prod` | exception |
| 400 | `+owner (12 values)` |  |

<details><summary>Samples</summary>

| entity | row | change |
|---|---|---|
| `web-01 (HOST-1)` | `hosts.csv:17` | `env\\u{202e}: a\\u{7c}b\\n → prod` |
| `HOST-2` | `hosts.csv:2` | `` +owner=`team` `` |

</details>
";
        let objections = ["<b>no</b> @all".to_owned()];
        assert_eq!(plan_markdown(&view(&objections), None), want);
        let bare = plan_markdown(&view(&[]), Some(0));
        assert!(!bare.contains("Samples") && !bare.contains("Refused"), "{bare}");
    }

    proptest! {
        #[test]
        fn no_text_breaks_out_of_its_code_span_or_cell(text in "[`|\\\\a \n]{0,12}") {
            let span = code(&text);
            let fence = span.chars().take_while(|c| *c == '`').count();
            prop_assert!(span.ends_with(&"`".repeat(fence)));
            let inner = &span[fence..span.len() - fence];
            // A run of as many would close the span earlier.
            prop_assert!(inner.split(|c| c != '`').all(|run| run.len() != fence));
            prop_assert!(!inner.starts_with('`') && !inner.ends_with('`') && !inner.is_empty());
            prop_assert!(!span.contains(['|', '\n']));
        }
    }
}
