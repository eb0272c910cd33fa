"""Texts in another language are found where that is sure, and hardly ever where it is not so."""

from rnn_cli.checks.findings import Finding, Severity
from rnn_cli.checks.languages import FEW_LETTERS, NAMES, find_languages
from rnn_cli.checks.rows import WHOLE, CheckedRows
from rnn_cli.checks.scripts import script_of
from rnn_cli.data.rows import Dataset

WHO = ["the waiter", "our teacher", "my old neighbour", "the new director", "her youngest brother"]
DID = ["forgot the tickets", "told us a long story", "was late again", "paid for all of it", "sang much too loudly"]
WHEN = ["on Monday evening", "before the concert began", "in spite of the rain", "and nobody minded", "after dinner"]
ENGLISH = [f"{who} {did} {when}" for who in WHO for did in DID for when in WHEN]
GERMAN = [
    f"{who} war mit dem Essen {how} und kommt {when} wieder"
    for who in ("Mein Bruder", "Die ganze Familie", "Unsere Nachbarin", "Der alte Herr")
    for how in ("sehr zufrieden", "gar nicht glücklich")
    for when in ("nie", "gerne", "bald")
][:20]
OTHERS = {
    "French": "le serveur était charmant mais la cuisine nous a beaucoup déçus",
    "Spanish": "la película es demasiado larga y los actores no convencen a nadie",
    "Polish": "obsługa była miła, ale jedzenie było zimne i bardzo drogie",
    "Turkish": "yemekler çok güzeldi ama garsonlar biraz yavaş çalışıyordu",
}


def told(texts: list[str]) -> Finding | None:
    rows = CheckedRows({WHOLE: Dataset("rows.csv", texts, ["a"] * len(texts), list(range(2, len(texts) + 2)))})
    return next(iter(find_languages(rows, [script_of(text) for text in texts])), None)


def test_a_few_german_rows_among_english_ones_are_all_told() -> None:
    mixed = (ENGLISH * 5)[:600]
    places = range(15, 615, 30)
    for place, text in zip(places, GERMAN, strict=True):
        mixed.insert(place, text)
    finding = told(mixed)
    assert finding is not None and finding.severity == Severity.NOTE
    assert [hit.row for hit in finding.hits] == list(places)
    assert {hit.note for hit in finding.hits} == {"German"}
    assert finding.what == "20 texts are surely not in English, as most of the 620 long enough texts are: 20 German."


def test_the_languages_are_told_by_name_and_counted() -> None:
    finding = told([*ENGLISH, *OTHERS.values(), OTHERS["French"] + " ce soir"])
    assert finding is not None
    assert [hit.note for hit in finding.hits] == [*OTHERS, "French"]
    assert "5 texts are surely not in English" in finding.what and ": 2 French, 1 Spanish," in finding.what


def test_what_most_texts_are_in_is_not_foreign_whatever_it_is() -> None:
    assert told(GERMAN) is None
    finding = told([*GERMAN, ENGLISH[0]])
    assert finding is not None and [hit.note for hit in finding.hits] == ["English"]


def test_short_texts_foreign_names_and_slang_are_left_alone() -> None:
    doubtful = [
        "sehr gut, danke",
        "alors on danse by Stromae is what we danced to all night",
        "morton deserves an oscar nomination , steve oedekerk is , alas , no woody allen",
        "omg im gonna cry soooo baaaad lol wanna gooooo",
        "https://example.com/der-die-das-und-nicht-mehr-so-gut #nichtmehrsogut @niemandweisswas",
        "well dey need get one on it",
    ]
    assert all(sum(map(str.isalpha, text)) >= FEW_LETTERS for text in doubtful[1:4])
    assert told([*ENGLISH, *doubtful]) is None


def test_a_text_half_in_the_language_of_most_is_left_alone() -> None:
    assert told([*ENGLISH, f"{ENGLISH[0]} {ENGLISH[30]} -- {GERMAN[0]}"]) is None


def test_languages_that_hardly_differ_count_as_one() -> None:
    norwegian = "maten var kald og servitøren var ikke særlig hyggelig mot oss"
    danish = "maden var kold, og tjeneren var ikke særlig venlig over for os i går"
    assert told([norwegian] * 30 + [danish]) is None


def test_texts_in_another_script_are_told_once() -> None:
    assert told([*ENGLISH, "очень хороший фильм, который стоит посмотреть всем"]) is None


def test_names_are_read_as_they_are_written() -> None:
    assert (NAMES["de"], NAMES["zu"], NAMES["af"]) == ("German", "Zulu", "Afrikaans")
