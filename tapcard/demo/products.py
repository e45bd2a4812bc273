"""What the demo shop sells: shelves, collections and products, in words; the pictures are drawn."""

from dataclasses import dataclass, field
from typing import Any

from ..models import Availability, CollectionKind, ProductKind

SHELVES: tuple[tuple[str, str, str], ...] = (  # name, the shelf above it, description
    ("Cards", "", "Cards that open your page at a tap, and what keeps them at hand."),
    ("NFC cards", "Cards", "Choose a design or send us your own artwork."),
    ("Card holders", "Cards", "Sleeves, wallets and stands in the size of a card."),
    ("Desk", "", "For the table you think at."),
    ("Journals", "Desk", "Bound and spiral journals, most of them with a name on the cover if you like."),
    ("Drinkware", "", "For the way and for the desk."),
    ("Bottles", "Drinkware", "Bottles and flasks that can be engraved."),
    ("Cups", "Drinkware", "Mugs, cups and bowls, glazed by hand."),
    ("Gifts", "", "Packed by us, written by you."),
    ("Gift packs", "Gifts", "Tell us who it is for and what to add; we pack it."),
    ("Festive", "", "For the days that are not like the others."),
    ("Festive decorations", "Festive", "To hang up, to put on the table, to light."),
)
COLLECTIONS: tuple[tuple[str, CollectionKind, str], ...] = (
    ("Hedge & Hollow", CollectionKind.BRAND, "Paper and leather from a small bindery."),
    ("Northlight", CollectionKind.BRAND, "Bottles for people who walk."),
    ("Kiln Street", CollectionKind.BRAND, "Stoneware, each piece a little different."),
    ("Travel", CollectionKind.THEME, "Light, tight and easy to find again."),
    ("Office", CollectionKind.THEME, "For the desk and whoever comes to see you there."),
    ("Wedding", CollectionKind.THEME, "For two, and for those who celebrate with them."),
    ("Class of 2026", CollectionKind.THEME, "To remember the year by."),
    ("Christmas", CollectionKind.SEASON, "Green, red, gold and a little snow."),
    ("Eid", CollectionKind.SEASON, "For the table and the visit after it."),
    ("Spring", CollectionKind.SEASON, "Lighter colours for longer days."),
)


@dataclass(frozen=True)
class Ware:
    """A product of the demo; `shown` says what its picture shows, `shown_too` what a second one shows."""

    picture: str  # of the drawings; the address as well
    name: str
    shelf: str
    amount: int
    shown: str
    details: str
    stock: int | None = None
    material: str = ""
    color: str = ""
    size: str = ""
    collections: tuple[str, ...] = ()
    colors: tuple[str, ...] = ()  # to choose from
    shown_too: str = ""
    discount: int = 0
    promo: str = ""
    is_featured: bool = False
    days_away: int = 0  # of a pre-order
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> ProductKind:
        """How it is fulfilled."""
        kinds = {"NFC cards": ProductKind.CARD, "Gift packs": ProductKind.GIFT_PACK}
        return kinds.get(self.shelf, ProductKind.GOODS)


STEEL, STONE, BOX = "Stainless steel", "Stoneware", "Recycled card"
LAID = "192 pages of 90 g paper"
OUT = {"availability": Availability.OUT_OF_STOCK}

WARES: tuple[Ware, ...] = (
    Ware(
        "nfc-card", "NFC card", "NFC cards", 2400, "Three cards fanned out, a blue one on top",
        "Tap it on a phone and your page opens; no app is needed. Choose one of our designs or upload your own artwork "
        "for the front and the rear. A code printed on it works for phones without NFC.\n\nWhat a card costs depends "
        "on its design.",
        material="PVC with an NTAG213 chip", size="85.6 × 54 mm", collections=("Office",), is_featured=True,
        promo="Our classic",
    ),
    Ware(
        "nfc-card-bamboo", "Bamboo NFC card", "NFC cards", 2400, "Two cards of light wood, one on the other",
        "The same card with a face of real bamboo, so the grain of each one differs. Designs are printed in dark "
        "brown.\n\nWhat a card costs depends on its design; bamboo costs as much more as is said below.",
        material="Bamboo on a PVC core", color="Natural", size="85.6 × 54 mm", collections=("Office", "Spring"),
    ),
    Ware(
        "felt-card-sleeve", "Felt card sleeve", "Card holders", 900, "A grey felt sleeve with a blue card in it",
        "Keeps one card, or two thin ones, free of scratches. The notch lets a thumb push the card out. Cards can be "
        "read through the felt.",
        stock=120, material="Wool felt", color="Grey", size="95 × 65 mm", collections=("Travel",),
    ),
    Ware(
        "card-wallet", "Card wallet", "Card holders", 3200, "A brown leather wallet with three cards",
        "Three pockets, a button and nothing else. The leather is tanned with bark and darkens with the years.",
        stock=24, material="Leather", color="Chestnut", size="105 × 80 mm", collections=("Hedge & Hollow", "Travel"),
        discount=10, promo="10 % off until they are gone",
    ),
    Ware(
        "reception-stand", "Reception stand", "Card holders", 2800, "A blue card standing in a block of wood",
        "Put it on the counter and let people tap. The slot takes any card of ours; the foot has cork below it.",
        stock=40, material="Oiled oak", color="Oak", size="120 × 45 × 30 mm", collections=("Office",),
    ),
    # --- journals
    Ware(
        "moorland-journal", "Moorland journal", "Journals", 1850, "A green journal with hills on its cover",
        f"{LAID}, dotted. Lies flat, closes with a band and has a pocket inside the back cover. We engrave a name or a "
        "few words on the cover.",
        stock=64, material="Cloth on board", color="Moss green", size="A5", collections=("Hedge & Hollow", "Office"),
        shown_too="The same journal with a label for a name", is_featured=True,
    ),
    Ware(
        "harbour-journal", "Harbour journal", "Journals", 1850, "A blue journal with waves on its cover",
        f"{LAID}, ruled. Lies flat and closes with a band.",
        stock=38, material="Cloth on board", color="Blue", size="A5", collections=("Hedge & Hollow", "Travel"),
    ),
    Ware(
        "ember-journal", "Ember journal", "Journals", 1950, "A rust red journal with rows of dots",
        f"{LAID}, blank. The dots on the cover can be felt.",
        stock=5, material="Cloth on board", color="Rust", size="A5", collections=("Hedge & Hollow",),
    ),
    Ware(
        "fern-sketchbook", "Fern sketchbook", "Journals", 1450, "A green sketchbook with a spiral and a fern",
        "80 sheets of 160 g paper that take ink and a light wash. The spiral lets it fold all the way round.",
        stock=52, material="Board", color="Fern green", size="A5", collections=("Spring",),
        discount=20, promo="Spring cleaning: 20 % off",
    ),
    Ware(
        "graph-notebook", "Graph notebook", "Journals", 1250, "A slate blue notebook with squares and a label",
        "120 pages in 5 mm squares, numbered, with two pages left for a list of contents.",
        stock=90, material="Board", color="Slate", size="A5", collections=("Office",),
    ),
    Ware(
        "pocket-notes-set-of-three", "Pocket notes, set of three", "Journals", 1100,
        "Three thin notebooks tied with a string",
        "Three notebooks of 48 pages: ruled, dotted and blank. Thin enough for a back pocket.",
        stock=150, material="Paper", color="Yellow, blue and red", size="A6", collections=("Hedge & Hollow", "Travel"),
    ),
    Ware(
        "saddle-journal", "Saddle journal", "Journals", 3900, "A brown leather journal with a strap around it",
        "Soft leather around a block that can be changed once it is full. The strap closes it whatever you put in.",
        stock=0, material="Leather", color="Saddle brown", size="A5", collections=("Hedge & Hollow", "Travel"),
        promo="The next ones are being sewn",
    ),
    Ware(
        "class-of-2026-journal", "Class of 2026 journal", "Journals", 1650, "A dark blue journal with a golden band",
        "A page for everybody in the class and room for what they want to say. Name and place go on the cover.",
        stock=200, material="Cloth on board", color="Navy and gold", size="A5", collections=("Class of 2026",),
        days_away=45, promo="Order now, sent before the last day of term",
    ),
    # --- bottles
    Ware(
        "lagoon-bottle", "Lagoon bottle", "Bottles", 2650, "A slim turquoise bottle with a pattern of waves",
        "Half a litre, cold for a day or hot for half of one. The coat does not chip; the engraving shows the steel.",
        stock=75, material=STEEL, size="500 ml", collections=("Northlight", "Travel"), is_featured=True,
        colors=("Turquoise", "Sand", "Night blue"), shown_too="The same bottle engraved with a name",
    ),
    Ware(
        "graphite-bottle", "Graphite bottle", "Bottles", 3100, "A wide dark grey bottle with a name on it",
        "Three quarters of a litre with a wide neck that takes ice, and a loop to carry it by.",
        stock=33, material=STEEL, color="Graphite", size="750 ml", collections=("Northlight", "Office"),
    ),
    Ware(
        "coral-bottle", "Coral bottle", "Bottles", 2750, "A coral bottle with a sprig and a bamboo lid",
        "Half a litre with a lid of bamboo. The lid wants to be dried by hand, the bottle may go into the dishwasher.",
        stock=3, material=f"{STEEL} and bamboo", color="Coral", size="500 ml", collections=("Northlight", "Spring"),
    ),
    Ware(
        "meadow-flask", "Meadow flask", "Bottles", 3400, "A tall green flask with a steel cup as its lid",
        "Keeps tea hot from breakfast to supper. The lid is a cup.",
        stock=28, material=STEEL, color="Meadow green", size="700 ml", collections=("Northlight", "Travel"),
        discount=15, promo="15 % off this month",
    ),
    Ware(
        "clear-bottle", "Clear bottle", "Bottles", 2200, "A glass bottle in an orange sleeve",
        "Glass that takes boiling water, in a sleeve that takes knocks.",
        stock=47, material="Glass, silicone and bamboo", color="Clear and amber", size="550 ml",
        collections=("Office",),
    ),
    Ware(
        "sprint-bottle", "Sprint bottle", "Bottles", 1900, "A blue sports bottle with white hoops",
        "Light, and easy to open with the teeth. A name on it finds its way back after training.",
        stock=110, material="Aluminium", size="600 ml", collections=("Northlight",), colors=("Blue", "Red", "Black"),
    ),
    Ware(
        "dune-bottle", "Dune bottle", "Bottles", 2900, "A bottle in two sand colours with a loop",
        "Two coats of colour, dipped one after the other, so the line is never quite straight.",
        stock=19, material=STEEL, color="Sand", size="500 ml", collections=("Northlight",),
    ),
    Ware(
        "plum-flask", "Plum flask", "Bottles", 3300, "A round plum coloured flask with a bamboo lid",
        "A round flask for two cups, made for the desk and not for the bag.",
        stock=0, material=f"{STEEL} and bamboo", color="Plum", size="650 ml", more=OUT, collections=("Wedding",),
    ),
    # --- cups
    Ware(
        "studio-mug", "Studio mug", "Cups", 1600, "A speckled mug with a blue glaze over its upper half",
        "Thrown, dipped and fired in small lots: the edge of the glaze is different on every one.",
        stock=44, material=STONE, color="Blue on oat", size="350 ml", collections=("Kiln Street", "Office"),
        is_featured=True,
    ),
    Ware(
        "initial-mug", "Initial mug", "Cups", 1700, "A green mug with the letter A",
        "With a letter in a circle. Write the one you want as the name; a whole name of up to 40 letters fits, too.",
        stock=80, material=STONE, size="350 ml", collections=("Kiln Street",), colors=("Green", "Navy", "Cream"),
    ),
    Ware(
        "summit-mug", "Summit mug", "Cups", 1500, "A blue enamel mug with white mountains",
        "Enamel for outside: it may stand at the edge of a fire and it does not break.",
        stock=60, material="Enamelled steel", color="Blue", size="400 ml", collections=("Travel",),
    ),
    Ware(
        "sunrise-mug", "Sunrise mug", "Cups", 1600, "A mug glazed in red above yellow",
        "Two glazes that run into each other in the kiln.",
        stock=31, material=STONE, color="Red and yellow", size="350 ml", collections=("Kiln Street", "Spring"),
        discount=25, promo="A quarter off",
    ),
    Ware(
        "commuter-cup", "Commuter cup", "Cups", 1950, "A tall white cup with a green lid and sleeve",
        "For the coffee on the way: tight enough for a bag, open enough to smell it.",
        stock=70, material="Wheat fibre and silicone", color="Cream and green", size="450 ml",
        collections=("Travel", "Office"), shown_too="The same cup with a name on its sleeve",
    ),
    Ware(
        "espresso-pair", "Espresso pair", "Cups", 2400, "Two small red cups on saucers",
        "Two cups, two saucers, one box.",
        stock=26, material=STONE, color="Terracotta", size="2 × 80 ml", collections=("Kiln Street", "Wedding"),
    ),
    Ware(
        "morning-bowl", "Morning bowl", "Cups", 1450, "A wide bowl with a green edge",
        "For milky coffee, soup or porridge. Both hands fit around it.",
        stock=4, material=STONE, color="Sage", size="500 ml", collections=("Kiln Street",),
    ),
    Ware(
        "class-of-2026-mug", "Class of 2026 mug", "Cups", 1400, "A dark blue mug with white rings",
        "For the desk that comes after school. Give us the name and the place.",
        stock=250, material=STONE, color="Navy", size="350 ml", collections=("Class of 2026",), days_away=45,
    ),
    # --- gift packs
    Ware(
        "welcome-box", "Welcome box", "Gift packs", 5900, "An open box with a bottle, a journal and a cup",
        "For somebody's first day: a Lagoon bottle, an Ember journal and a Studio mug in paper wool, with a card that "
        "you write. Tell us what to add or to swap.",
        stock=22, material=BOX, color="Kraft", size="32 × 24 × 14 cm", collections=("Office",), is_featured=True,
        promo="Costs less than its parts",
    ),
    Ware(
        "birthday-box", "Birthday box", "Gift packs", 3400, "A pink box with white spots and a bow",
        "A mug, a candle and a notebook, chosen by us to go together. Tell us about the person.",
        stock=35, material=BOX, size="24 × 24 × 18 cm", colors=("Pink", "Yellow", "Blue"),
    ),
    Ware(
        "wedding-hatbox", "Wedding hatbox", "Gift packs", 7900, "A round cream box with a bow on its lid",
        "An Espresso pair, two candles and a guest book for the day. Both names go on the lid.",
        stock=9, material=BOX, color="Cream and rose", size="Ø 30 cm", collections=("Wedding",),
    ),
    Ware(
        "eid-gift-bag", "Eid gift bag", "Gift packs", 2600, "A green bag with a crescent and a star",
        "Dates, a small lantern and a card. Nothing in it contains alcohol or gelatine.",
        stock=60, material=BOX, color="Green and gold", size="22 × 28 cm", collections=("Eid",),
    ),
    Ware(
        "thank-you-bag", "Thank you bag", "Gift packs", 1900, "A pink bag with a heart",
        "Something small for somebody who helped: pocket notes, a pencil and tea.",
        stock=80, material=BOX, color="Rose", size="22 × 28 cm", collections=("Spring",),
        discount=10, promo="10 % off",
    ),
    Ware(
        "tower-of-three", "Tower of three", "Gift packs", 4800, "Three boxes on each other, tied with twine",
        "Three boxes to open one after the other, from a small surprise to a larger one.",
        stock=17, material=BOX, color="Kraft", size="30 × 22 × 30 cm",
    ),
    Ware(
        "midnight-box", "Midnight box", "Gift packs", 5200, "A dark blue box with stars and a golden bow",
        "Two Summit mugs, cocoa and a string of lights for an evening outside.",
        stock=14, material=BOX, color="Midnight blue", size="28 × 28 × 20 cm", collections=("Christmas",),
    ),
    # --- festive decorations
    Ware(
        "winter-baubles", "Winter baubles", "Festive decorations", 1800, "A green, a red and a golden bauble",
        "Three baubles of glass, blown and banded by hand, with ribbons.",
        stock=55, material="Glass", color="Green, red and gold", size="Ø 8 to 10 cm", collections=("Christmas",),
        is_featured=True,
    ),
    Ware(
        "snowflake-bauble", "Snowflake bauble", "Festive decorations", 850, "A blue bauble with a snowflake",
        "One large bauble. No two snowflakes are alike; these nearly are.",
        stock=70, material="Glass", color="Blue", size="Ø 12 cm", collections=("Christmas",),
    ),
    Ware(
        "paper-stars", "Paper stars", "Festive decorations", 1200, "Four folded stars on strings",
        "Four stars of strong paper that fold flat for the rest of the year.",
        stock=95, material="Paper", color="Red and yellow", size="15 to 35 cm", collections=("Christmas", "Eid"),
    ),
    Ware(
        "spring-bunting", "Spring bunting", "Festive decorations", 1350, "Two rows of flags in four pale colours",
        "Four metres of flags, sewn and not glued. May be washed by hand.",
        stock=42, material="Cotton", color="Pastel", size="4 m", collections=("Spring", "Wedding"),
    ),
    Ware(
        "evening-lights", "Evening lights", "Festive decorations", 2300, "Three rows of warm lights on a dark wall",
        "Twenty warm bulbs on a cable of eight metres, for inside and for dry evenings outside.",
        stock=30, material="Glass and copper", color="Warm white", size="8 m", collections=("Wedding", "Christmas"),
        discount=15, promo="15 % off",
    ),
    Ware(
        "three-candles", "Three candles", "Festive decorations", 1650, "Three lit candles on a brass plate",
        "Three candles of rapeseed wax on a plate of brass. Each burns for about thirty hours.",
        stock=48, material="Rapeseed wax and brass", color="Ivory", size="10, 14 and 20 cm", collections=("Wedding",),
    ),
    Ware(
        "crescent-lantern", "Crescent lantern", "Festive decorations", 3600, "A lit lantern with a crescent on top",
        "A lantern for a candle or for the small light that comes with it.",
        stock=2, material="Brass and glass", color="Brass", size="34 cm", collections=("Eid",),
    ),
    Ware(
        "olive-wreath", "Olive wreath", "Festive decorations", 2700, "A wreath of leaves with red berries and a bow",
        "Bound of cloth leaves on willow; hang it up every year again.",
        stock=0, material="Cotton and willow", color="Green and red", size="Ø 38 cm", collections=("Christmas",),
        more=OUT,
    ),
    Ware(
        "paper-trees", "Paper trees", "Festive decorations", 1550, "Three folded paper trees with golden stars",
        "Three trees to unfold, from 15 to 28 cm.",
        stock=66, material="Paper and wood", color="Green", size="15 to 28 cm", collections=("Christmas",),
    ),
)  # fmt: skip
