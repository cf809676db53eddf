"""Contexts that were read, with their key/value caches: who asks again on one of them does not wait for its reading.

Least recently used ones go first, and what is held never exceeds a number of bytes. One thread works with it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

Prefix = tuple[int, ...]
Layers = tuple[tuple[Any, Any], ...]
"""Keys and values by layer, each (heads, tokens, size of a head)."""


class ContextCache:
    """Key/value caches of contexts by their token ids.

    Args:
        max_bytes: Most bytes that are held.
        looked: Told of each look whether the context was there.
    """

    def __init__(self, max_bytes: int, looked: Callable[[bool], None] = lambda _: None) -> None:
        self._max_bytes, self._looked = max_bytes, looked
        self._held: OrderedDict[Prefix, Layers] = OrderedDict()
        self._bytes = 0

    @property
    def held_bytes(self) -> int:
        """Bytes that are held."""
        return self._bytes

    def find(self, prefix: Prefix) -> Layers | None:
        """What was kept of a context."""
        found = self._held.get(prefix)
        if found is not None:
            self._held.move_to_end(prefix)
        self._looked(found is not None)
        return found

    def keep(self, prefix: Prefix, layers: Layers) -> None:
        """Keep a context; one that alone is larger than the bound is not kept."""
        size = size_of(layers)
        if size > self._max_bytes or prefix in self._held:
            return
        self._held[prefix] = layers
        self._bytes += size
        while self._bytes > self._max_bytes:
            _, oldest = self._held.popitem(last=False)
            self._bytes -= size_of(oldest)

    def clear(self) -> None:
        """Forget all: another model reads from now on."""
        self._held.clear()
        self._bytes = 0


def size_of(layers: Layers) -> int:
    """Bytes of some layers."""
    return sum(int(part.numel()) * int(part.element_size()) for layer in layers for part in layer)


def layers_of(cache: Any, row: int, tokens: int) -> Layers:
    """Copy the first tokens of a row out of a model's cache."""
    return tuple((layer.keys[row, :, :tokens].clone(), layer.values[row, :, :tokens].clone()) for layer in cache.layers)


def assembled(config: Any, rows: Sequence[Layers]) -> Any:
    """A model's cache of several contexts, padded on the right to the longest."""
    import torch
    from transformers import DynamicCache

    cache = DynamicCache(config=config)
    for number, layers in enumerate(zip(*rows, strict=True)):
        keys, values = (
            torch.nn.utils.rnn.pad_sequence([layer[part].transpose(0, 1) for layer in layers], batch_first=True)
            for part in (0, 1)
        )
        cache.update(keys.transpose(1, 2), values.transpose(1, 2), number)
    return cache
