"""Quizzes: what is asked, how it is shown without and with a script, and what learning platforms get."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

import serlab
from serlab.errors import QuizError
from serlab.quizzes import pages

ROOT = Path(__file__).parents[1]
NUMBERS = [name.split("_")[0] for name in pages()]


def right(question: dict) -> dict:
    (found,) = [option for option in question["options"] if option.get("right")]
    return found


def hidden(html: str) -> list[dict]:
    """Return what the script reads: the questions with their answers."""
    box = BeautifulSoup(html, "html.parser").find(class_="serlab-quiz")
    return json.loads(base64.b64decode(box["data-quiz"].removeprefix("base64,")))["questions"]


# ---- what is asked ----


def test_every_chapter_has_a_quiz_and_every_quiz_its_chapter():
    assert pages() == sorted(path.stem for path in (ROOT / "chapters").glob("[0-9]*.md"))


@pytest.mark.parametrize("page", NUMBERS)
def test_every_question_has_one_right_answer_and_every_option_a_reason(page):
    from chapter_problems import exact_numbers

    questions = serlab.quiz(page).questions
    assert len(questions) >= 3
    assert len({question["text"] for question in questions}) == len(questions)
    for question in questions:
        assert set(question) == {"text", "options"}
        options = question["options"]
        assert len(options) >= 3
        assert len({option["text"] for option in options}) == len(options)
        assert right(question)["right"] is True
        for option in options:
            assert set(option) - {"right"} == {"text", "reason"}
            assert len(option["reason"]) >= 10
            # Options have no letters, and no score that a new run could contradict.
            for text in (question["text"], option["text"], option["reason"]):
                assert not re.search(r"\([a-d]\)|<", text), text
                assert exact_numbers(text) == [], text


def test_right_answers_are_as_often_first_as_last_in_the_list_that_is_printed():
    places = [
        question["options"].index(right(question))
        for page in NUMBERS
        for question in serlab.quiz(page).questions
    ]
    shares = [places.count(place) / len(places) for place in range(3)]
    assert min(shares) > 0.25


def test_unknown_page_is_refused_with_those_that_there_are():
    with pytest.raises(QuizError, match=r"no quiz '5'; there are 01, 01b, .* 18"):
        serlab.quiz("5")


# ---- without a script ----


@pytest.mark.parametrize("page", NUMBERS)
def test_questions_can_be_read_without_script_and_answers_cannot(page):
    quiz = serlab.quiz(page)
    html = quiz._repr_html_()
    box = BeautifulSoup(html, "html.parser").find(class_="serlab-quiz")
    assert len(box.select("ol > li")) == len(quiz.questions)
    assert len(box.select("ul > li")) == sum(len(question["options"]) for question in quiz.questions)
    for question in quiz.questions:
        assert question["text"] in repr(quiz)
        for option in question["options"]:
            assert option["text"] in repr(quiz)
            for place in (repr(quiz), html):
                assert option["reason"] not in place


def test_output_is_the_same_every_time_and_loads_nothing():
    html = serlab.quiz("05")._repr_html_()
    assert serlab.quiz.__wrapped__("05")._repr_html_() == html
    assert not re.search(r"""(?:src|href)=["']|url\(|fetch\(|import\(""", html)


def test_marks_become_elements_and_signs_stay_text():
    from serlab.quizzes import Quiz

    options = [{"text": "`a<b`", "right": True, "reason": "[here](https://example.org/a&b)"}]
    html = Quiz("x", [{"text": "*One* & <two>?", "options": options}])._repr_html_()
    assert "<li><em>One</em> &amp; &lt;two&gt;?<ul><li><code>a&lt;b</code></li></ul></li>" in html
    (question,) = hidden(html)
    assert question["options"][0]["reason"] == '<a href="https://example.org/a&amp;b">here</a>'


# ---- in a browser ----


@pytest.fixture
def page(browser, tmp_path):
    """Open a page that holds two quizzes, with a browser's empty memory; no error and no request allowed."""
    file = tmp_path / "page.html"
    quizzes = "".join(serlab.quiz(number)._repr_html_() for number in ("01", "05"))
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Quiz</title>'
    file.write_text(f"{head}<main>{quizzes}</main>", encoding="utf-8")
    context = browser.new_context()
    opened = context.new_page()
    errors, requests = [], []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("request", lambda request: requests.append(request.url))
    opened.goto(file.as_uri())
    yield opened
    context.close()
    assert errors == []
    assert set(requests) == {file.as_uri()}


def choose(page, text: str) -> None:
    """Walk with the arrow keys to an option of the question that has the focus, and press Enter."""
    for _ in range(4):
        focused = page.evaluate(
            "[document.activeElement.checked, document.activeElement.parentNode.innerText]"
        )
        if focused[0] and focused[1].strip() == text:
            break
        page.keyboard.press("ArrowDown")
    else:
        pytest.fail(f"the arrow keys do not reach {text!r}")
    page.keyboard.press("Enter")


def test_keyboard_alone_answers_shows_reasons_and_keeps_the_score(page):
    box = page.locator(".serlab-quiz").nth(1)
    first, second, third = serlab.quiz("05").questions
    wrong = next(option for option in first["options"] if not option.get("right"))
    before = page.locator("main").inner_text()
    for question in serlab.quiz("05").questions:
        assert question["text"] in before
        assert not any(option["reason"] in before for option in question["options"])
    assert page.locator("[data-quiz]").count() == 0

    box.locator("input").first.focus()
    page.keyboard.press("ArrowDown")
    assert box.locator(".serlab-verdict").first.inner_text() == ""
    choose(page, wrong["text"])
    verdict = box.locator(".serlab-verdict").first.inner_text()
    assert verdict == f"✗ Not this one. {wrong['reason']}"
    assert right(first)["reason"] not in box.inner_text()
    assert box.locator(".serlab-score").inner_text() == "Right at the first try: 0 of 3, 2 still to answer."

    # On to the button, and to the next question.
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    choose(page, right(second)["text"])
    shown = box.locator("form").nth(1).inner_text()
    assert f"✓ Right. {right(second)['reason']}" in shown
    assert all(option["reason"] in shown for option in second["options"])
    score = "Right at the first try: 1 of 3, 1 still to answer."
    assert box.locator(".serlab-score").inner_text() == score

    page.reload()
    box = page.locator(".serlab-quiz").nth(1)
    assert box.locator(".serlab-score").inner_text() == score
    assert wrong["reason"] in box.locator("form").first.inner_text()
    assert third["options"][0]["reason"] not in box.inner_text()
    # The other quiz of the page has a score of its own; the first try is what counts.
    assert "4 still to answer" in page.locator(".serlab-score").first.inner_text()
    box.get_by_label(right(first)["text"]).check()
    box.get_by_role("button", name="Check").first.click()
    assert right(first)["reason"] in box.locator("form").first.inner_text()
    assert box.locator(".serlab-score").inner_text() == score

    box.get_by_role("button", name="Start again").click()
    assert box.locator(".serlab-score").inner_text() == "Right at the first try: 0 of 3, 3 still to answer."
    assert box.locator("input:checked").count() == 0
    page.reload()
    assert "3 still to answer" in page.locator(".serlab-score").nth(1).inner_text()


def test_nothing_chosen_is_no_answer(page):
    page.get_by_role("button", name="Check").first.click()
    assert page.locator(".serlab-score").first.inner_text().startswith("Right at the first try: 0 of 4, 4")


def test_options_come_in_a_new_order(page):
    orders = set()
    for _ in range(8):
        orders.add(tuple(page.locator("form").first.locator("label").all_inner_texts()))
        page.reload()
    assert len(orders) > 1
    assert len({tuple(sorted(order)) for order in orders}) == 1


def test_a_screen_reader_hears_question_options_and_verdict(page):
    groups = page.get_by_role("group")
    questions = [*serlab.quiz("01").questions, *serlab.quiz("05").questions]
    assert groups.count() == len(questions)
    for number, question in enumerate(questions):
        group = groups.nth(number)
        plain = question["text"].replace("`", "")
        assert plain in group.locator("legend").inner_text()
        for option in question["options"]:
            assert group.get_by_role("radio", name=option["text"], exact=True).count() == 1
        assert group.get_by_role("status").count() == 1
    names = page.evaluate("[...document.querySelectorAll('input')].map(input => input.name)")
    assert len(set(names)) == len(questions)


def test_jupyterlab_leaves_the_keys_to_the_quiz(page):
    """Its shortcuts stop at an element that has this attribute, but not at those inside one that has it."""
    controls = page.locator("input, button")
    marked = page.locator("[data-lm-suppress-shortcuts]")
    assert controls.count() == marked.count() == 3 * 7 + 7 + 2


def test_a_browser_that_keeps_nothing_still_counts(browser):
    context = browser.new_context()
    page = context.new_page()
    # In a page without an address localStorage is forbidden.
    page.set_content(serlab.quiz("05")._repr_html_())
    page.get_by_label(right(serlab.quiz("05").questions[0])["text"]).check()
    page.get_by_role("button", name="Check").first.click()
    assert page.locator(".serlab-score").inner_text() == "Right at the first try: 1 of 3, 2 still to answer."
    context.close()


# ---- for learning platforms ----


def parsed(text: str) -> list[dict]:
    """Read GIFT as its manual says, character by character: what follows a backslash is text."""
    text = re.sub(r"^\$CATEGORY.*\n", "", text)
    tokens = re.findall(r"\\[~=#{}:\\]|::|\[markdown\]|[~=#{}]|[^\\~=#{}:\[]+|[:\[]", text)
    assert "".join(tokens) == text
    questions, now = [], None
    for token in tokens:
        if token == "::":
            if now != "name":
                questions.append({"name": "", "text": "", "options": []})
            now = "name" if now != "name" else "text"
        elif token == "[markdown]":
            assert now == "text"
        elif token in ("~", "="):
            questions[-1]["options"].append({"text": "", "reason": "", "right": token == "="})
            now = "option"
        elif token == "#":
            now = "reason"
        elif token in ("{", "}"):
            now = None
        else:
            place = questions[-1] if now in ("name", "text") else None
            place = questions[-1]["options"][-1] if now in ("option", "reason") else place
            if place is not None:
                place["text" if now == "option" else now] += token[-1] if token[0] == "\\" else token
    return questions


def test_gift_holds_every_question_with_its_answers_and_reasons(tmp_path):
    import quizzes

    quizzes.main(tmp_path / "new" / "folder")
    files = sorted((tmp_path / "new" / "folder").iterdir())
    assert [file.name for file in files] == [f"{name}.gift.txt" for name in pages()]
    for file, page in zip(files, NUMBERS, strict=True):
        text = file.read_text("utf-8")
        assert text.startswith(f"$CATEGORY: serlab/{serlab.quiz(page).page}\n\n")
        # An empty line ends a question, so there is none inside.
        assert len(text.strip().split("\n\n")) == 1 + len(serlab.quiz(page).questions)
        for found, question in zip(parsed(text), serlab.quiz(page).questions, strict=True):
            assert found["text"].strip() == question["text"]
            assert [
                {key: value.strip() if isinstance(value, str) else value for key, value in option.items()}
                for option in found["options"]
            ] == [{"right": False, **option} for option in question["options"]]


def test_signs_of_gift_in_a_text_are_escaped():
    import quizzes

    options = [{"text": "a = b # {c}", "right": True, "reason": "x ~ y: z\\"}]
    text = quizzes.gift(serlab.quizzes.Quiz("p", [{"text": "Is 1::2?", "options": options}]))
    (question,) = parsed(text)
    assert question["text"].strip() == "Is 1::2?"
    assert question["options"][0]["text"] == "a = b # {c}"
    assert question["options"][0]["reason"].strip() == "x ~ y: z\\"
