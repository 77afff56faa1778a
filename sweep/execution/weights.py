"""The weights of every network of a spec: found, downloaded or decided on before; every fallback is said aloud."""

import logging
from collections.abc import Mapping
from pathlib import Path

from sweep.data.hashes import HashCache
from sweep.errors import UserError
from sweep.execution.places import Say
from sweep.execution.progress import count
from sweep.inputs import PENDING, Weighted, WeightsId
from sweep.networks.table import WeightsSource
from sweep.networks.weights import (
    WeightsUnavailable,
    download_weights,
    hash_weights,
    locate_weights,
    random_weights_sha256,
    read_weights,
)

log = logging.getLogger("sweep")

RANDOM_NOTICE = (
    "RANDOM WEIGHTS: the ImageNet weights could not be downloaded; as these are demo images, going on with random "
    "weights, batch norm calibrated on the images"
)

WeightPaths = Mapping[Weighted, Path | None]  # random ones lie nowhere


def find_weights(  # noqa: PLR0913 - one decision that needs all of it
    asked: tuple[Weighted, ...],
    path: str | None,
    former: Mapping[Weighted, WeightsId],
    hashes: HashCache,
    say: Say,
    *,
    is_demo: bool,
    download: bool,
) -> tuple[dict[Weighted, WeightsId], WeightPaths]:
    """Identify the weights of every network.

    Weights on this machine come first; then those a former run of the sweep decided on, network by network; then a
    download; and for demo images alone, at last, random weights: for all networks, or for none.

    Args:
        asked: the networks, with the sources that the spec names.
        path: the user's, for weights that are in files.
        former: what a former run decided.
        hashes: of files that were read before.
        say: receives one line for each thing the user must know.
        is_demo: whether the images are drawn.
        download: whether weights that are not here are downloaded now; else their trials' ids are provisional.

    Raises:
        UserError: the weights are not to be had.
    """
    paths: dict[Weighted, Path | None] = {
        each: locate_weights(each.source, path, each.features, each.network) for each in asked
    }
    absent = [each for each in asked if each.source is not WeightsSource.RANDOM and paths[each] is None]
    if absent and any(former[each].source is WeightsSource.RANDOM for each in absent if each in former):
        say(RANDOM_NOTICE)
        decided = {each: weights for each, weights in former.items() if each in asked}
        return {**_make_random(asked), **decided}, dict.fromkeys(asked)
    undecided = [each for each in absent if each not in former]
    if undecided:
        weights_of = f"the weights of {count(len(undecided), 'network')}"
        if not download:
            say(f"{weights_of} are not on this machine; `sweep run` downloads them")
        elif not _download(undecided, paths, may_be_random=is_demo and not former, say=say):
            return _make_random(asked), dict.fromkeys(asked)
    found = {**_make_random(asked, only=True), **_identify(paths, hashes)}
    return {each: found.get(each) or former.get(each, WeightsId(each.source, PENDING)) for each in asked}, paths


def open_weights(weighted: Weighted, identity: WeightsId, path: Path | None) -> bytes:
    """Read a network's weights into memory; download them where a finished sweep has outlived its files.

    Raises:
        UserError: they are not to be had, or are others than those the sweep was run with.
    """
    network, source, kind = weighted
    if identity.source is WeightsSource.RANDOM:
        return b""
    try:
        path = path or download_weights(source, kind, network)
    except WeightsUnavailable as error:
        raise UserError(f"weights: {error}") from error
    if hash_weights(path) != identity.sha256:
        raise UserError(
            f"weights: {path} is not the file this sweep was run with (SHA-256 {identity.sha256[:12]}...); "
            "put that file back, or start a new sweep under another name"
        )
    return read_weights(source, kind, network, path).payload


def _download(absent: list[Weighted], paths: dict[Weighted, Path | None], *, may_be_random: bool, say: Say) -> bool:
    """Download into `paths`; False where that cannot be done and random weights may stand in."""
    say(f"downloading the weights of {count(len(absent), 'network')}")
    try:
        paths |= {each: download_weights(each.source, each.features, each.network) for each in absent}
    except WeightsUnavailable as error:
        if not may_be_random:
            raise UserError(f"weights: {error}") from error
        log.info("%s", error)
        say(RANDOM_NOTICE)
        return False
    return True


def _identify(paths: WeightPaths, hashes: HashCache) -> dict[Weighted, WeightsId]:
    files = [path for path in paths.values() if path and path.is_file()]
    contents = dict(zip(files, hashes.hash_files(files), strict=True))
    return {
        each: WeightsId(each.source, contents.get(path) or hash_weights(path)) for each, path in paths.items() if path
    }


def _make_random(asked: tuple[Weighted, ...], *, only: bool = False) -> dict[Weighted, WeightsId]:
    """Identify random weights: of all networks, or `only` of those that ask for them."""
    return {
        each: WeightsId(WeightsSource.RANDOM, random_weights_sha256(each.network, each.features))
        for each in asked
        if not only or each.source is WeightsSource.RANDOM
    }
