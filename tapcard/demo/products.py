"""Categories, collections and products of the demo shop; their pictures are in `drawings`."""

from dataclasses import dataclass, field
from typing import Any

from ..models import Availability, CollectionKind, ProductKind

CATEGORIES: tuple[tuple[str, str, str], ...] = (  # name, parent category, description
    ("Cards", "", "NFC cards that open your page with one tap, and ways to carry and display them."),
    ("NFC cards", "Cards", "Choose a design or upload your own artwork."),
    ("Card holders", "Cards", "Sleeves, wallets and stands made to fit a card."),
    ("Desk", "", "Stationery for your desk."),
    ("Journals", "Desk", "Hardback and spiral-bound journals, most of which can be personalised."),
    ("Drinkware", "", "Bottles and cups for your desk or your commute."),
    ("Bottles", "Drinkware", "Bottles and flasks you can have engraved."),
    ("Cups", "Drinkware", "Hand-glazed mugs, cups and bowls."),
    ("Gifts", "", "Ready-made gifts with a message from you."),
    ("Gift packs", "Gifts", "Tell us who it's for and what to add, and we'll pack it for you."),
    ("Festive", "", "Decorations for special occasions."),
    ("Festive decorations", "Festive", "Baubles, lights, candles and paper decorations."),
)
COLLECTIONS: tuple[tuple[str, CollectionKind, str], ...] = (
    ("Hedge & Hollow", CollectionKind.BRAND, "Paper and leather from a small bindery."),
    ("Northlight", CollectionKind.BRAND, "Bottles made for the outdoors."),
    ("Kiln Street", CollectionKind.BRAND, "Handmade stoneware. No two pieces are the same."),
    ("Travel", CollectionKind.THEME, "Lightweight, leakproof and easy to label."),
    ("Office", CollectionKind.THEME, "For your desk and your reception."),
    ("Wedding", CollectionKind.THEME, "Gifts for the couple and their guests."),
    ("Class of 2026", CollectionKind.THEME, "Keepsakes for this year's leavers."),
    ("Christmas", CollectionKind.SEASON, "Decorations and gifts in green, red and gold."),
    ("Eid", CollectionKind.SEASON, "Gifts and decorations for Eid."),
    ("Spring", CollectionKind.SEASON, "Fresh colours for spring."),
)


@dataclass(frozen=True)
class DemoProduct:
    """A product of the demo shop, with one picture, or two if `second_alt` is given."""

    slug: str  # also the name of its drawing
    name: str
    category: str
    unit_amount: int  # minor units
    alt: str
    details: str
    stock: int | None = None
    material: str = ""
    color: str = ""
    size: str = ""
    collections: tuple[str, ...] = ()
    colors: tuple[str, ...] = ()  # to choose from
    second_alt: str = ""
    discount_percent: int = 0
    promo_text: str = ""
    is_featured: bool = False
    pre_order_days: int = 0  # until the first shipping date
    columns: dict[str, Any] = field(default_factory=dict)  # further columns of the product

    @property
    def kind(self) -> ProductKind:
        """Return the kind of product, by its category."""
        kinds = {"NFC cards": ProductKind.CARD, "Gift packs": ProductKind.GIFT_PACK}
        return kinds.get(self.category, ProductKind.GOODS)


STEEL, STONE, BOX = "Stainless steel", "Stoneware", "Recycled card"
PAPER = "192 pages of 90 gsm paper"
SOLD_OUT = {"availability": Availability.OUT_OF_STOCK}

PRODUCTS: tuple[DemoProduct, ...] = (
    DemoProduct(
        "nfc-card", "NFC card", "NFC cards", 2400, "Three cards fanned out, a blue one on top",
        "Tap it on a phone and your page opens. No app needed. Choose one of our designs or upload your own artwork "
        "for the front and back. A printed QR code works for phones without NFC.\n\nThe price depends on the design "
        "you choose.",
        material="PVC with an NTAG213 chip", size="85.6 × 54 mm", collections=("Office",), is_featured=True,
        promo_text="Our classic",
    ),
    DemoProduct(
        "nfc-card-bamboo", "Bamboo NFC card", "NFC cards", 2400, "Two cards of light wood, one on the other",
        "Our NFC card with a real bamboo face, so the grain is different on every card. Designs are printed in dark "
        "brown.\n\nThe price depends on the design you choose, plus the extra for bamboo shown below.",
        material="Bamboo on a PVC core", color="Natural", size="85.6 × 54 mm", collections=("Office", "Spring"),
    ),
    DemoProduct(
        "felt-card-sleeve", "Felt card sleeve", "Card holders", 900, "A grey felt sleeve with a blue card in it",
        "Protects one card, or two thin ones, from scratches. A notch lets you slide the card out with your thumb. "
        "Cards can be tapped through the felt.",
        stock=120, material="Wool felt", color="Grey", size="95 × 65 mm", collections=("Travel",),
    ),
    DemoProduct(
        "card-wallet", "Card wallet", "Card holders", 3200, "A brown leather wallet with three cards",
        "Three pockets and a press stud. The vegetable-tanned leather darkens beautifully with age.",
        stock=24, material="Leather", color="Chestnut", size="105 × 80 mm", collections=("Hedge & Hollow", "Travel"),
        discount_percent=10, promo_text="10% off while stocks last",
    ),
    DemoProduct(
        "reception-stand", "Reception stand", "Card holders", 2800, "A blue card standing in a block of wood",
        "Put it on the counter for customers to tap. The slot fits any of our cards and the base is lined with cork.",
        stock=40, material="Oiled oak", color="Oak", size="120 × 45 × 30 mm", collections=("Office",),
    ),
    # --- journals
    DemoProduct(
        "moorland-journal", "Moorland journal", "Journals", 1850, "A green journal with hills on its cover",
        f"{PAPER}, dotted. Lies flat, closes with an elastic band and has a pocket inside the back cover. We can "
        "engrave a name or a few words on the cover.",
        stock=64, material="Cloth on board", color="Moss green", size="A5", collections=("Hedge & Hollow", "Office"),
        second_alt="The same journal with a label for a name", is_featured=True,
    ),
    DemoProduct(
        "harbour-journal", "Harbour journal", "Journals", 1850, "A blue journal with waves on its cover",
        f"{PAPER}, ruled. Lies flat and closes with an elastic band.",
        stock=38, material="Cloth on board", color="Blue", size="A5", collections=("Hedge & Hollow", "Travel"),
    ),
    DemoProduct(
        "ember-journal", "Ember journal", "Journals", 1950, "A rust red journal with rows of dots",
        f"{PAPER}, plain. With embossed dots on the cover.",
        stock=5, material="Cloth on board", color="Rust", size="A5", collections=("Hedge & Hollow",),
    ),
    DemoProduct(
        "fern-sketchbook", "Fern sketchbook", "Journals", 1450, "A green sketchbook with a spiral and a fern",
        "80 sheets of 160 gsm paper, suitable for ink and light washes. The spiral binding folds back on itself.",
        stock=52, material="Board", color="Fern green", size="A5", collections=("Spring",),
        discount_percent=20, promo_text="Spring sale: 20% off",
    ),
    DemoProduct(
        "graph-notebook", "Graph notebook", "Journals", 1250, "A slate blue notebook with squares and a label",
        "120 numbered pages of 5 mm grid paper, with two pages for an index.",
        stock=90, material="Board", color="Slate", size="A5", collections=("Office",),
    ),
    DemoProduct(
        "pocket-notes-set-of-three", "Pocket notes, set of three", "Journals", 1100,
        "Three thin notebooks tied with a string",
        "Three 48-page notebooks: ruled, dotted and plain. Slim enough for a back pocket.",
        stock=150, material="Paper", color="Yellow, blue and red", size="A6", collections=("Hedge & Hollow", "Travel"),
    ),
    DemoProduct(
        "saddle-journal", "Saddle journal", "Journals", 3900, "A brown leather journal with a strap around it",
        "A soft leather cover with a refillable notebook. The wrap-around strap keeps everything in place.",
        stock=0, material="Leather", color="Saddle brown", size="A5", collections=("Hedge & Hollow", "Travel"),
        promo_text="More on the way",
    ),
    DemoProduct(
        "class-of-2026-journal", "Class of 2026 journal", "Journals", 1650, "A dark blue journal with a golden band",
        "A page for everyone in the class, with room for messages. Your name and school go on the cover.",
        stock=200, material="Cloth on board", color="Navy and gold", size="A5", collections=("Class of 2026",),
        pre_order_days=45, promo_text="Order now for delivery before the end of term",
    ),
    # --- bottles
    DemoProduct(
        "lagoon-bottle", "Lagoon bottle", "Bottles", 2650, "A slim turquoise bottle with a pattern of waves",
        "500 ml. Keeps drinks cold for 24 hours or hot for 12. Chip-resistant coating, engraved down to the steel.",
        stock=75, material=STEEL, size="500 ml", collections=("Northlight", "Travel"), is_featured=True,
        colors=("Turquoise", "Sand", "Night blue"), second_alt="The same bottle engraved with a name",
    ),
    DemoProduct(
        "graphite-bottle", "Graphite bottle", "Bottles", 3100, "A wide dark grey bottle with a name on it",
        "750 ml with a wide neck for ice cubes and a carrying loop.",
        stock=33, material=STEEL, color="Graphite", size="750 ml", collections=("Northlight", "Office"),
    ),
    DemoProduct(
        "coral-bottle", "Coral bottle", "Bottles", 2750, "A coral bottle with a sprig and a bamboo lid",
        "500 ml with a bamboo lid. The bottle is dishwasher-safe. Wash the lid by hand.",
        stock=3, material=f"{STEEL} and bamboo", color="Coral", size="500 ml", collections=("Northlight", "Spring"),
    ),
    DemoProduct(
        "meadow-flask", "Meadow flask", "Bottles", 3400, "A tall green flask with a steel cup as its lid",
        "Keeps tea hot from breakfast to dinner. The lid doubles as a cup.",
        stock=28, material=STEEL, color="Meadow green", size="700 ml", collections=("Northlight", "Travel"),
        discount_percent=15, promo_text="15% off this month",
    ),
    DemoProduct(
        "clear-bottle", "Clear bottle", "Bottles", 2200, "A glass bottle in an orange sleeve",
        "Heat-resistant glass in a protective silicone sleeve.",
        stock=47, material="Glass, silicone and bamboo", color="Clear and amber", size="550 ml",
        collections=("Office",),
    ),
    DemoProduct(
        "sprint-bottle", "Sprint bottle", "Bottles", 1900, "A blue sports bottle with white hoops",
        "Lightweight with a pull-up cap. Add a name so it doesn't get left behind after training.",
        stock=110, material="Aluminium", size="600 ml", collections=("Northlight",), colors=("Blue", "Red", "Black"),
    ),
    DemoProduct(
        "dune-bottle", "Dune bottle", "Bottles", 2900, "A bottle in two sand colours with a loop",
        "Dipped twice in two colours, so the line is slightly different on every bottle.",
        stock=19, material=STEEL, color="Sand", size="500 ml", collections=("Northlight",),
    ),
    DemoProduct(
        "plum-flask", "Plum flask", "Bottles", 3300, "A round plum-coloured flask with a bamboo lid",
        "A round flask that holds two cups. Ideal for your desk.",
        stock=0, material=f"{STEEL} and bamboo", color="Plum", size="650 ml", columns=SOLD_OUT,
        collections=("Wedding",),
    ),
    # --- cups
    DemoProduct(
        "studio-mug", "Studio mug", "Cups", 1600, "A speckled mug with a blue glaze over its upper half",
        "Thrown, dipped and fired in small batches. The edge of the glaze is different on every mug.",
        stock=44, material=STONE, color="Blue on oat", size="350 ml", collections=("Kiln Street", "Office"),
        is_featured=True,
    ),
    DemoProduct(
        "initial-mug", "Initial mug", "Cups", 1700, "A green mug with the letter A",
        "Personalised with a letter in a circle. Enter your letter as the name, or a whole name of up to 40 letters.",
        stock=80, material=STONE, size="350 ml", collections=("Kiln Street",), colors=("Green", "Navy", "Cream"),
    ),
    DemoProduct(
        "summit-mug", "Summit mug", "Cups", 1500, "A blue enamel mug with white mountains",
        "Durable enamel for camping. Safe to use next to a campfire.",
        stock=60, material="Enamelled steel", color="Blue", size="400 ml", collections=("Travel",),
    ),
    DemoProduct(
        "sunrise-mug", "Sunrise mug", "Cups", 1600, "A mug glazed in red above yellow",
        "Two glazes that blend together in the kiln.",
        stock=31, material=STONE, color="Red and yellow", size="350 ml", collections=("Kiln Street", "Spring"),
        discount_percent=25, promo_text="25% off",
    ),
    DemoProduct(
        "commuter-cup", "Commuter cup", "Cups", 1950, "A tall white cup with a green lid and sleeve",
        "For coffee on the go, with a leakproof lid that's easy to open.",
        stock=70, material="Wheat fibre and silicone", color="Cream and green", size="450 ml",
        collections=("Travel", "Office"), second_alt="The same cup with a name on its sleeve",
    ),
    DemoProduct(
        "espresso-pair", "Espresso pair", "Cups", 2400, "Two small red cups on saucers",
        "Two espresso cups with saucers, in a gift box.",
        stock=26, material=STONE, color="Terracotta", size="2 × 80 ml", collections=("Kiln Street", "Wedding"),
    ),
    DemoProduct(
        "morning-bowl", "Morning bowl", "Cups", 1450, "A wide bowl with a green edge",
        "For milky coffee, soup or porridge.",
        stock=4, material=STONE, color="Sage", size="500 ml", collections=("Kiln Street",),
    ),
    DemoProduct(
        "class-of-2026-mug", "Class of 2026 mug", "Cups", 1400, "A dark blue mug with white rings",
        "A keepsake for school leavers. Add a name and school.",
        stock=250, material=STONE, color="Navy", size="350 ml", collections=("Class of 2026",), pre_order_days=45,
    ),
    # --- gift packs
    DemoProduct(
        "welcome-box", "Welcome box", "Gift packs", 5900, "An open box with a bottle, a journal and a cup",
        "For someone's first day: a Lagoon bottle, an Ember journal and a Studio mug, packed in shredded paper with a "
        "card carrying your message. Tell us what to add or swap.",
        stock=22, material=BOX, color="Kraft", size="32 × 24 × 14 cm", collections=("Office",), is_featured=True,
        promo_text="Cheaper than buying the items separately",
    ),
    DemoProduct(
        "birthday-box", "Birthday box", "Gift packs", 3400, "A pink box with white spots and a bow",
        "A mug, a candle and a notebook that we choose to match. Tell us a little about the recipient.",
        stock=35, material=BOX, size="24 × 24 × 18 cm", colors=("Pink", "Yellow", "Blue"),
    ),
    DemoProduct(
        "wedding-hatbox", "Wedding hatbox", "Gift packs", 7900, "A round cream box with a bow on its lid",
        "An Espresso pair, two candles and a guest book. Both names go on the lid.",
        stock=9, material=BOX, color="Cream and rose", size="Ø 30 cm", collections=("Wedding",),
    ),
    DemoProduct(
        "eid-gift-bag", "Eid gift bag", "Gift packs", 2600, "A green bag with a crescent and a star",
        "Dates, a small lantern and a card. Free from alcohol and gelatine.",
        stock=60, material=BOX, color="Green and gold", size="22 × 28 cm", collections=("Eid",),
    ),
    DemoProduct(
        "thank-you-bag", "Thank you bag", "Gift packs", 1900, "A pink bag with a heart",
        "A small thank-you gift: pocket notes, a pencil and tea.",
        stock=80, material=BOX, color="Rose", size="22 × 28 cm", collections=("Spring",),
        discount_percent=10, promo_text="10% off",
    ),
    DemoProduct(
        "tower-of-three", "Tower of three", "Gift packs", 4800, "Three stacked boxes tied with twine",
        "Three boxes to open one by one, each surprise bigger than the last.",
        stock=17, material=BOX, color="Kraft", size="30 × 22 × 30 cm",
    ),
    DemoProduct(
        "midnight-box", "Midnight box", "Gift packs", 5200, "A dark blue box with stars and a golden bow",
        "Two Summit mugs, cocoa and a string of lights for an evening outdoors.",
        stock=14, material=BOX, color="Midnight blue", size="28 × 28 × 20 cm", collections=("Christmas",),
    ),
    # --- festive decorations
    DemoProduct(
        "winter-baubles", "Winter baubles", "Festive decorations", 1800, "A green, a red and a golden bauble",
        "Three hand-blown, hand-painted glass baubles with ribbons.",
        stock=55, material="Glass", color="Green, red and gold", size="Ø 8 to 10 cm", collections=("Christmas",),
        is_featured=True,
    ),
    DemoProduct(
        "snowflake-bauble", "Snowflake bauble", "Festive decorations", 850, "A blue bauble with a snowflake",
        "One large glass bauble with a snowflake pattern.",
        stock=70, material="Glass", color="Blue", size="Ø 12 cm", collections=("Christmas",),
    ),
    DemoProduct(
        "paper-stars", "Paper stars", "Festive decorations", 1200, "Four folded stars on strings",
        "Four sturdy paper stars that fold flat for storage.",
        stock=95, material="Paper", color="Red and yellow", size="15 to 35 cm", collections=("Christmas", "Eid"),
    ),
    DemoProduct(
        "spring-bunting", "Spring bunting", "Festive decorations", 1350, "Two rows of flags in four pale colours",
        "Four metres of sewn cotton flags. Hand wash only.",
        stock=42, material="Cotton", color="Pastel", size="4 m", collections=("Spring", "Wedding"),
    ),
    DemoProduct(
        "evening-lights", "Evening lights", "Festive decorations", 2300, "Three rows of warm lights on a dark wall",
        "Twenty warm white bulbs on an eight-metre cable. For indoor use and dry evenings outdoors.",
        stock=30, material="Glass and copper", color="Warm white", size="8 m", collections=("Wedding", "Christmas"),
        discount_percent=15, promo_text="15% off",
    ),
    DemoProduct(
        "three-candles", "Three candles", "Festive decorations", 1650, "Three lit candles on a brass plate",
        "Three rapeseed wax candles on a brass plate. Each burns for about 30 hours.",
        stock=48, material="Rapeseed wax and brass", color="Ivory", size="10, 14 and 20 cm", collections=("Wedding",),
    ),
    DemoProduct(
        "crescent-lantern", "Crescent lantern", "Festive decorations", 3600, "A lit lantern with a crescent on top",
        "A lantern for a candle or the small light that's included.",
        stock=2, material="Brass and glass", color="Brass", size="34 cm", collections=("Eid",),
    ),
    DemoProduct(
        "olive-wreath", "Olive wreath", "Festive decorations", 2700, "A wreath of leaves with red berries and a bow",
        "Fabric leaves on a willow base, made to be used year after year.",
        stock=0, material="Cotton and willow", color="Green and red", size="Ø 38 cm", collections=("Christmas",),
        columns=SOLD_OUT,
    ),
    DemoProduct(
        "paper-trees", "Paper trees", "Festive decorations", 1550, "Three folded paper trees with golden stars",
        "Three fold-out paper trees, from 15 to 28 cm tall.",
        stock=66, material="Paper and wood", color="Green", size="15 to 28 cm", collections=("Christmas",),
    ),
)  # fmt: skip
