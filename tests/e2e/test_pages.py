"""The pages in a real browser."""


def test_the_list_of_processes_is_readable_and_nothing_leaves(server, visit, script):
    page = visit(f"{server.url}/processes?f=html")
    assert page.get_by_text("segment", exact=False).count()
    assert script("chromium").axe(page) == []
