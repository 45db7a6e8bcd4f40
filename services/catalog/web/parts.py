"""What handlers work with; one dependency, since the framework starts a task for each of several."""

from dataclasses import dataclass

from services.catalog.application.browsing import BrowsingService
from services.catalog.application.pictures import Media, PictureService
from services.catalog.application.ports import Shop
from services.catalog.application.products import CategoryService, ProductService
from services.catalog.application.quotes import QuoteService
from services.catalog.application.stock import StockService
from services.catalog.web.shop_views import StoreView


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    shop: Shop
    browsing: BrowsingService
    products: ProductService
    categories: CategoryService
    stock: StockService
    quotes: QuoteService
    pictures: PictureService
    media: Media
    view: StoreView
