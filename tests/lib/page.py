"""A page that the program wrote, as its tests look at it."""
import html.parser


class Page(html.parser.HTMLParser):
    VOID = ("meta", "rect", "path", "circle")

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.tags, self.open, self.text = set(), set(), set(), [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.add(tag)
        if "id" in attrs:
            assert attrs["id"] not in self.ids, attrs["id"]
            self.ids.add(attrs["id"])
        for name in ("href", "src"):
            if name in attrs:
                self.links.add(attrs[name])
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        self.text += data
