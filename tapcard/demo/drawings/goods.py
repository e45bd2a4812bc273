"""Product pictures of the demo shop by slug; second pictures have the suffix `-engraved`."""

from collections.abc import Callable

from .drinkware import bottle, bowl, glass_bottle, mug, pair, tumbler
from .festive import baubles, bunting, candles, lantern, lights, stars, trees, wreath
from .gifts import bag, box, hatbox, open_box, stacked_boxes
from .holders import cards, sleeve, stand, wallet
from .journals import journal, stack, strapped

LAKE, DUSK, MINT = ("#0b2a6b", "#0091ca"), ("#3a0d3f", "#c2385a"), ("#0f5d52", "#3fb894")

GOODS: dict[str, Callable[[], bytes]] = {
    "nfc-card": lambda: cards([DUSK, MINT, LAKE]),
    "nfc-card-bamboo": lambda: cards([("#e6c796", "#d3aa6c"), ("#efd7ae", "#dcb980")], grain=True),
    "felt-card-sleeve": lambda: sleeve("#8b93a3", LAKE),
    "card-wallet": lambda: wallet("#7d4a2f", LAKE),
    "reception-stand": lambda: stand("#b98a5a", LAKE),
    # journals
    "moorland-journal": lambda: journal("#3f6b52", "hills", band="#26402f", ribbon="#c9a24d"),
    "moorland-journal-engraved": lambda: journal("#3f6b52", "plain", band="#26402f", ribbon="#c9a24d", title="#3f6b52"),
    "harbour-journal": lambda: journal("#2d5f8f", "waves", band="#173553", ribbon="#e5795c"),
    "ember-journal": lambda: journal("#c25b41", "dots", band="#7d2f22", ribbon="#f0c98b"),
    "fern-sketchbook": lambda: journal("#7a9a6b", "leaves", spiral=True),
    "graph-notebook": lambda: journal("#46506a", "grid", spiral=True, title="#46506a"),
    "pocket-notes-set-of-three": lambda: stack(["#e5a93d", "#2d5f8f", "#c25b41"], "#efe0c0"),
    "saddle-journal": lambda: strapped("#8a5433", "#5d3520"),
    "class-of-2026-journal": lambda: journal("#1f2f57", "stripes", band="#c9a24d", ribbon="#c9a24d", title="#1f2f57"),
    # bottles
    "lagoon-bottle": lambda: bottle("#2f8fa8", "slim", "screw", motif="contours"),
    "lagoon-bottle-engraved": lambda: bottle("#2f8fa8", "slim", "screw", motif="name"),
    "graphite-bottle": lambda: bottle("#4a505c", "wide", "loop", lid_color="#2b2f38", motif="name"),
    "coral-bottle": lambda: bottle("#e5795c", "slim", "bamboo", motif="sprig"),
    "meadow-flask": lambda: bottle("#5f8a63", "straight", "cup", lid_color="#c9ced6"),
    "clear-bottle": lambda: glass_bottle("#bfe0e6", "#e0a35b"),
    "sprint-bottle": lambda: bottle("#4c6fd1", "wide", "sport", lid_color="#23356f", motif="hoops"),
    "dune-bottle": lambda: bottle("#e2cfae", "slim", "loop", lid_color="#8a6b45", second="#c9925a"),
    "plum-flask": lambda: bottle("#6d3f6b", "round", "bamboo", motif="sprig"),
    # cups
    "studio-mug": lambda: mug("#e9dfcf", "#5b7f95", drink="#6b4128", motif="specks"),
    "initial-mug": lambda: mug("#2f6f6a", drink="#6b4128", motif="initial"),
    "summit-mug": lambda: mug("#3d4f78", motif="mountains", rim="#20294a", inside="#eef1f5", drink="#a8673a"),
    "sunrise-mug": lambda: mug("#e9a24f", "#d6603f", drink="#7a4b2b"),
    "commuter-cup": lambda: tumbler("#f0e8dc", "#35625a"),
    "commuter-cup-engraved": lambda: tumbler("#f0e8dc", "#35625a", motif="name"),
    "espresso-pair": lambda: pair("#d9826a", "#f2e6d8", "#54301c"),
    "morning-bowl": lambda: bowl("#e8dccb", "#7d9b8a", "#c9986a"),
    "class-of-2026-mug": lambda: mug("#1f2f57", motif="rings", drink="#6b4128"),
    # gift packs
    "welcome-box": lambda: open_box("#b98a5a", ["#2f8fa8", "#c25b41", "#e9dfcf"]),
    "birthday-box": lambda: box("#e88ca0", "#fbe9c6", "spots"),
    "wedding-hatbox": lambda: hatbox("#f0e4da", "#b9848c"),
    "eid-gift-bag": lambda: bag("#1f6b5c", "#f2dfae", "#d9b45b", "moon"),
    "thank-you-bag": lambda: bag("#e7a2a8", "#fdf3ec", "#8c3f4d", "heart"),
    "tower-of-three": lambda: stacked_boxes("#b58a62", "#f3e8d2"),
    "midnight-box": lambda: box("#27376b", "#d9b45b", "stars"),
    # festive decorations
    "winter-baubles": lambda: baubles(["#2c6e63", "#b8323f", "#d9b45b"]),
    "snowflake-bauble": lambda: baubles(["#2f5f9e"], "snow"),
    "paper-stars": lambda: stars("#d6603f", "#e9b44c"),
    "spring-bunting": lambda: bunting(["#e88ca0", "#7fb59a", "#f0c368", "#7a9fd6"]),
    "evening-lights": lambda: lights(["#ffcf70", "#ff9e7a", "#ffe9b0"]),
    "three-candles": lambda: candles("#f0e2cc"),
    "crescent-lantern": lambda: lantern("#b98d45", "#ffd98f"),
    "olive-wreath": lambda: wreath("#4f7a55", "#b8323f", "#c23b4b"),
    "paper-trees": lambda: trees(["#7fa893", "#a9c4a0", "#2f6b57"]),
}
