"""What the shop's first page chooses of the newest products."""

from uuid import UUID, uuid4

from services.bff.application.sources import Card, Category, Picture
from services.bff.application.storefront import ARRIVALS, KEPT_FOR, OFFERS, Kept, aisles, chosen

PICTURE = Picture("a" * 32, 800, 800, [320, 800], "")


def card(price: int, before: int | None = None, *, category: UUID | None = None) -> Card:
    return Card(
        id=uuid4(),
        slug="s",
        name="N",
        brand="",
        category=category or uuid4(),
        price=price,
        compare_at_price=before,
        currency="KRW",
        availability="in_stock",
        image=PICTURE,
    )


def test_the_greatest_reductions_are_offered_first_and_nothing_is_shown_twice() -> None:
    cards = [card(100), card(90, 100), card(50, 100), card(100, 100), *(card(80, 100) for _ in range(9))]
    offers, arrivals = chosen(cards)
    assert [offer.price for offer in offers] == [50, 80, 80, 80]
    assert len(offers) == OFFERS and len(arrivals) == ARRIVALS
    assert not {offer.id for offer in offers} & {arrival.id for arrival in arrivals}


def test_a_category_shows_a_product_of_its_own_or_none() -> None:
    shoes, bags = Category(uuid4(), "shoes", "Shoes"), Category(uuid4(), "bags", "Bags")
    shoe = card(1, category=shoes.id)
    assert [aisle.picture for aisle in aisles([shoes, bags], [shoe])] == [shoe, None]


async def test_a_failure_is_not_kept() -> None:
    now = 0.0
    asked: list[str] = []
    kept: Kept[str] = Kept(lambda: now)

    async def fails() -> str:
        asked.append("failed")
        raise RuntimeError

    async def answers() -> str:
        asked.append("answered")
        return "yes"

    for ask in (fails, answers, answers):
        try:
            await kept.get("ko", ask)
        except RuntimeError:
            continue
    now = KEPT_FOR
    await kept.get("ko", answers)
    assert asked == ["failed", "answered", "answered"]
