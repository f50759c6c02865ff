"""JSON as a page."""

from samgis_process.ogc.pages import outline


def test_a_page_shows_all_of_a_value():
    shown = outline({"a": [1, {"b": None}], "c": True, "d": []})
    for each in ("<dt>a", "<li>1", "<dt>b<dd>null", "<dt>c<dd>true", "<ul></ul>"):
        assert each in shown


def test_what_has_an_address_becomes_a_link():
    link = {"rel": "self", "href": "http://x/?a=1&b=2", "title": "Here"}
    assert outline([link]) == '<ul><li><a href="http://x/?a=1&amp;b=2">Here</a></ul>'


def test_nothing_of_a_value_becomes_markup():
    assert "<script>" not in outline({"<script>": "<script>", "x": {"href": '"><script>'}})
