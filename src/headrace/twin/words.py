"""The words the twin's events are made of: a small shop, its pages, its visitors, its errors."""

from __future__ import annotations


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


PRODUCTS = _split(
    "Trail running shoes|Waterproof hiking jacket|Cast iron skillet|Espresso machine|Desk lamp|"
    "Noise cancelling headphones|Mechanical keyboard|Standing desk|Crème brûlée torch|Yoga mat|"
    "Down sleeping bag|Two-person tent|Carbon road bike|Rain poncho|Water filter|Camping stove|"
    "Portable solar panel|Gardening gloves|Linen bed sheets|Wool blanket|Ceramic teapot|"
    "Chef's knife|Bread maker|Electric toothbrush|Board game night set|Telescope for beginners|"
    "Watercolour paints|Baby carrier|Dog harness|Cat tree|Smart thermostat|Bicycle repair kit"
)
ARTICLES = _split(
    "How to choose a tent|Caring for cast iron|The perfect espresso at home|Marathon training plan|"
    "Winter cycling without tears|Setting up a quiet home office|Sleeping well under the stars|"
    "Sharpening knives safely|Baking sourdough bread|A first look through the telescope|"
    "Zürich by bike|Packing light for the Alps"
)
PAGES = _split(
    "Home|Search results|Shopping cart|Checkout|Order history|Account settings|Gift cards|"
    "Returns and refunds|Shipping costs|Store locator|Customer reviews|Size guide"
)
BUTTONS = _split(
    "Add to cart|Buy now|Save for later|Apply discount code|Compare products|Write a review|"
    "Track my order|Start live chat|Download invoice|Share wish list"
)
FORMS = _split(
    "Newsletter signup|Contact support|Return request|Product review|Delivery address|"
    "Warranty registration|Job application|Price alert"
)
MESSAGES = _split(
    "Where is my parcel?|The zip broke after one week|Great quality, fast delivery|"
    "Please change my delivery address|Does it fit a 15 inch laptop?|I was charged twice|"
    "Perfect gift for my sister|Can I return it without the box?"
)
ENDPOINTS = _split(
    "GET /api/products|GET /api/orders|POST /api/cart/items|PUT /api/profile|POST /api/payments|"
    "GET /api/recommendations|DELETE /api/wishlist|GET /api/inventory"
)
SERVICES = _split("catalogue|checkout|payments|identity|search|shipping")
ERRORS = _split(
    "Payment declined by the issuing bank|Connection to inventory timed out after 3000 ms|"
    "Cannot read properties of undefined (reading 'price')|Session expired, please sign in again|"
    "Discount code is no longer valid|Address could not be verified|Image failed to load|"
    "Too many login attempts|Database deadlock detected, transaction rolled back|"
    "Unexpected token < in JSON at position 0"
)
CAMPAIGNS = _split(
    "Spring sale|Back to school|Black Friday|Summer outdoor weeks|Loyalty bonus|"
    "Winter clearance|New customer welcome|Free shipping weekend"
)
REFERRERS = _split("newsletter|search engine|direct|partner blog|social video|podcast ad")
DEVICES = tuple(
    (device, browser)
    for device in ("mobile", "desktop", "tablet", "mobile")
    for browser in ("Chrome", "Safari", "Firefox", "Edge")
)
