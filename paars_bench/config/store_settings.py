"""Everything an experimenter would vary in the store, in one YAML: it is checked when read and recorded with a run.

Two shops with the same settings and the same catalog list, cut and show the same; their digests say so.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from paars_bench.config.sentence import sentence
from paars_bench.config.yamlfile import KeyPath, read_yaml
from paars_bench.errors import ConfigError
from paars_bench.paths import task_configs_dir

Weight = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
Signed = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
Tokens = Annotated[int, Field(ge=1, le=1000)]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FieldWeights(_Settings):
    """How much a word counts by where it stands in a product; one of weight 0 is not searched, and not all are 0."""

    title: Weight = 3.0
    brand: Weight = 2.0
    category: Weight = 2.0
    bullets: Weight = 1.0
    description: Weight = 0.5

    @model_validator(mode="after")
    def _searches_something(self) -> Self:
        if not any(self.model_dump().values()):
            raise ValueError("every field has weight 0, so nothing would be searched")
        return self


class FeatureWeights(_Settings):
    """What is added to the text score of the best text matches: weight × feature (``store.search_shelf``).

    Attributes:
        popularity: of ln(1 + review count), scaled to [0, 1] by the catalog's largest; 0 where unknown.
        rating: of (rating - 1) / 4; the catalog's mean where unknown.
        price: of the share of the catalog's prices that are lower, so a negative weight favours cheap products;
            1/2 where unknown.
        sponsored: of 1 for sponsored products, else 0.
        chance: of a number in [0, 1) drawn for each product from ``seed``: noise in the ranking.
        window: how many of the best text matches are ranked anew; the others follow in order of text score.
    """

    popularity: Signed = 0.0
    rating: Signed = 0.0
    price: Signed = 0.0
    sponsored: Signed = 0.0
    chance: Signed = 0.0
    window: int = Field(default=200, ge=1, le=2000)


class PageSettings(_Settings):
    """How long the text of a page is.

    Attributes:
        results: tokens of a page of ten results; titles share what the rest leaves of them.
        product: tokens of a product's page; the description has what the rest leaves of them.
        line: tokens of a line in results or cart, at most.
        least_title: tokens of the title in such a line, even where the id is long.
        title: tokens of the title on a product page.
        brand: tokens of the brand there.
        path: tokens of the category path there.
        bullets: how many are shown.
        bullet: tokens of one.
        description: tokens, at most.
        reviews: how many are shown.
        review: tokens of one.
        related: products listed on a product page.
        related_line: tokens of the line of one.
        filters: categories, and likewise brands, that are offered to narrow a list by.
        filter: tokens of the name of one.
        badges: on a line, at most.
        cart: products of the cart that are listed.
        departments: on the home page.
        department: tokens of the name of one.
        query: tokens of the query above the results.
        suggestions: other queries offered where nothing was found.
    """

    results: int = Field(default=600, ge=100, le=10_000)
    product: int = Field(default=800, ge=100, le=10_000)
    line: Tokens = 60
    least_title: Tokens = 12
    title: Tokens = 60
    brand: Tokens = 12
    path: Tokens = 30
    bullets: int = Field(default=5, ge=0, le=50)
    bullet: Tokens = 32
    description: int = Field(default=130, ge=0, le=2000)
    reviews: int = Field(default=3, ge=0, le=50)
    review: Tokens = 40
    related: int = Field(default=4, ge=0, le=20)
    related_line: Tokens = 30
    filters: int = Field(default=2, ge=0, le=20)
    filter: Tokens = 12
    badges: int = Field(default=1, ge=0, le=3)
    cart: int = Field(default=5, ge=1, le=100)
    departments: int = Field(default=8, ge=0, le=50)
    department: Tokens = 12
    query: Tokens = 28
    suggestions: int = Field(default=3, ge=1, le=10)


class BadgeSettings(_Settings):
    """The marks that the shop puts on products: in each narrow category one product at most has each of them.

    Attributes:
        best_seller: marks the product with most reviews; the sooner listed of equals.
        top_rated: marks the product with the best rating; of equals the one with more reviews, then the sooner listed.
        least_products: of a category in which there are badges.
        least_reviews: of a product that has one.
    """

    best_seller: bool = True
    top_rated: bool = True
    least_products: int = Field(default=5, ge=1)
    least_reviews: int = Field(default=20, ge=0)


class StoreSettings(_Settings):
    """The settings of a store.

    Attributes:
        fields: weights of the indexed fields.
        features: weights of what ranks beside the text.
        page_size: results on a page.
        pages: lengths of page text.
        badges: marks on products.
        seed: of everything in the store that is left to chance (``features.chance``).
    """

    fields: FieldWeights = FieldWeights()
    features: FeatureWeights = FeatureWeights()
    page_size: int = Field(default=10, ge=1, le=100)
    pages: PageSettings = PageSettings()
    badges: BadgeSettings = BadgeSettings()
    seed: int = Field(default=0, ge=0, le=2**63 - 1)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all settings, in hexadecimal: equal where every setting is."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def load_store_settings(path: Path | str) -> StoreSettings:
    """Reads the settings of a store; what a file leaves out is as in ``StoreSettings()``.

    Raises:
        ConfigError: the file is no YAML of store settings, with file, line, key, value and the nearest valid key.
    """
    document = read_yaml(Path(path), "a store YAML")
    try:
        return StoreSettings.model_validate(document.values)
    except ValidationError as error:
        raise ConfigError(sentence(document, error, store_keys, "file")) from error


@cache
def default_settings() -> StoreSettings:
    """Returns the settings of the shipped ``task_configs/_store/default.yaml``."""
    return load_store_settings(task_configs_dir() / "_store" / "default.yaml")


def store_keys(parent: KeyPath) -> list[str]:
    """Returns the keys that settings take at a place, the whole for an empty path."""
    model: type[BaseModel] = StoreSettings
    for key in parent:
        inner = model.model_fields[str(key)].annotation
        assert isinstance(inner, type) and issubclass(inner, BaseModel)
        model = inner
    return list(model.model_fields)
