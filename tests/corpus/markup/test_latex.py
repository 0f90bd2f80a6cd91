# ruff: noqa: RUF001 (typographic dashes are among what is read)
"""LaTeX in plain text: its words, what is left out by reason, and what only looks like it."""

from __future__ import annotations

import pytest

from nextvec.corpus.markup.latex import read_latex
from nextvec.corpus.markup.plain_headings import read_text
from nextvec.corpus.prose import visible

SAID = "The river rises in the hills. It flows to the sea."


@pytest.mark.parametrize(
    ("written", "read", "reason"),
    [
        (r"It is \emph{long \textbf{and} wide} {\bf here}.", "It is long and wide here.", "markup"),
        (
            r"The na\"{\i}ve caf\'e of Erd\H{o}s, \v Skoda and \AA s.",
            "The naïve café of Erdős, Škoda and Ås.",
            "markup",
        ),
        (r"It is old~\cite{a,b} and wide \citep[p.~3]{c}.", "It is old and wide.", "reference"),
        (r"It is 50\% of \$5 --- or ``so'', 1--2\ldots", "It is 50% of $5 — or “so”, 1–2…", "markup"),
        (r"It has $x^2 \leq \frac{a}{b}$ of \(y\) here.", r"It has x^2 \leq \frac{a}{b} of y here.", "markup"),
        (r"It is \href{http://x.org}{a link} in \textcolor{red}{red}.", "It is a link in red.", "markup"),
        (r"It is so.\footnote{It is \emph{not \textbf{so}}.} It is.", "It is so. It is.", "footnote"),
        ("It is so % not so\nhere.", "It is so here.", "comment"),
        ("It is\n\\emph{so}.\nIt is in Fig.~\\ref{a}.", "It is so. It is in Fig.", "markup"),
        ("\\begin{align}\n a &= b % c\n\\end{align}", "", "formula"),
        ("\\[ a = b \\]", "", "formula"),
        ("\\begin{figure}[h]\n\\caption{It is it.}\n\\end{figure}", "", "figure"),
        ("\\begin{tabular}{ll}\na & b \\\\\n\\end{tabular}", "", "table"),
        ("\\begin{verbatim}\n% x \\foo\n\\end{verbatim}", "", "code"),
        ("\\begin{proof}[Of it]\nIt is clear here.\n\\end{proof}", "It is clear here.", "markup"),
        ("\\begin{itemize}\n\\item It is the first.\n\\end{itemize}", "It is the first.", "markup"),
        ("\\begin{thebibliography}{9}\n\\bibitem{a} It is a book.\n\\end{thebibliography}", "", "reference"),
        (r"\hypertarget{it}{It is a target.}", "It is a target.", "markup"),
        (r"It's a `river' or ``it's a `stream'.''", "It's a ‘river’ or “it's a ‘stream’.”", "markup"),
        (r"\paragraph{Rivers} It is one of them.", "Rivers. It is one of them.", "markup"),
    ],
)
def test_what_is_written_is_read_and_the_rest_counted(written: str, read: str, reason: str) -> None:
    page = f"\\documentclass{{article}}\n\\begin{{document}}\n{SAID}\n\n{written}\n\n{SAID}\n\\end{{document}}\nmore"
    prose = read_latex(page)
    assert prose.text.split("\n\n") == list(filter(None, [SAID, read, SAID]))
    assert prose.left_out[reason] > 0
    assert visible(prose.text) + sum(prose.left_out.values()) == visible(page)


def test_title_and_sections_are_kept() -> None:
    page = f"\\title{{On \\emph{{Rivers}}}}\n\\begin{{document}}\n\\section{{Of \\emph{{it}}}}\\label{{a}}\n{SAID}\n"
    prose = read_latex(f"{page}\\subsection*{{Sea}}\n{SAID}\n", read_text)
    assert prose.title == "On Rivers"
    assert [(one.text, one.level) for one in prose.headings] == [("Of it", 1), ("Sea", 2)]
    assert prose.text == f"{SAID}\n\n{SAID}"


@pytest.mark.parametrize(
    "text", [rf"It is in C:\new\section and costs $5 to $6. {SAID}", rf"It is $\alpha$ {{so}}. {SAID}"]
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert read_latex(text).text == text


def test_a_part_of_a_paper_is_read_where_its_file_says_what_it_is() -> None:
    assert read_latex(rf"{SAID} It is \emph{{wide}}.", certain=True).text == f"{SAID} It is wide."
