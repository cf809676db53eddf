"""An explorer of interleavings: runs the real code of several actors under every schedule within two bounds.

Each effect on the world outside is a point where the scheduler may let another actor go on (a preemption) or end the
actor at hand (a crash, after which it begins anew). All schedules with at most so many preemptions and crashes are run,
each from the beginning, by depth-first search over the choices (stateless model checking with a preemption bound:
Musuvathi and Qadeer, PLDI 2007).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from greenlet import getcurrent, greenlet

Body = Callable[[], None]


class CrashError(BaseException):
    """The actor dies here; no handler of the code may catch it."""


@dataclass(slots=True, eq=False)
class _Actor:
    name: str
    body: Body
    can_crash: bool
    life: greenlet = field(init=False)
    waits_for: Callable[[], bool] | None = None

    def __post_init__(self) -> None:
        self.life = greenlet(self.body)


@dataclass(frozen=True, slots=True)
class _Choice:
    """A choice that was taken: its number among the options, and how many there were."""

    taken: int
    options: int


class Scheduler:
    """One execution: lets one actor go on at a time.

    Args:
        choices: Numbers of the options to take first; behind them always option 0, which goes on without a switch.
        preemptions: Most switches away from an actor that could go on.
        crashes: Most crashes.
    """

    def __init__(self, choices: Sequence[int], preemptions: int, crashes: int) -> None:
        self._given = choices
        self.trace: list[_Choice] = []
        self.story: list[str] = []
        self._left = {"switch": preemptions, "crash": crashes}
        self._actors: dict[greenlet, _Actor] = {}
        self._main = getcurrent()

    def point(self, what: str) -> None:
        """Before an effect of the actor at hand."""
        actor = self._actors.get(getcurrent())
        if actor is not None:
            self.story.append(f"{actor.name}: {what}")
            self._main.switch()

    def wait_for(self, holds: Callable[[], bool]) -> None:
        """The actor at hand cannot go on until something holds."""
        self._actors[getcurrent()].waits_for = holds
        self._main.switch()

    def run(self, actors: Mapping[str, Body], crashing: Sequence[str] = ()) -> None:
        """Run all actors to their ends; those named in `crashing` may crash and begin anew."""
        for name, body in actors.items():
            actor = _Actor(name, body, name in crashing)
            self._actors[actor.life] = actor
        at_hand: _Actor | None = None
        while runnable := [actor for actor in self._actors.values() if _can_go_on(actor)]:
            at_hand, crashes = self._choose(at_hand, runnable)
            at_hand.waits_for = None
            if crashes:
                self._crash(at_hand)
            else:
                at_hand.life.switch()
        waiting = [actor.name for actor in self._actors.values() if not actor.life.dead]
        assert not waiting, f"{waiting} wait for ever"

    def _choose(self, at_hand: _Actor | None, runnable: list[_Actor]) -> tuple[_Actor, bool]:
        options: list[tuple[str, _Actor]] = [("go on", actor) for actor in runnable]
        if at_hand in runnable:
            options = [("go on", at_hand)]
            if self._left["switch"]:
                options += [("switch", actor) for actor in runnable if actor is not at_hand]
            if self._left["crash"] and at_hand.can_crash:
                options.append(("crash", at_hand))
        number = self._given[len(self.trace)] if len(self.trace) < len(self._given) else 0
        self.trace.append(_Choice(number, len(options)))
        kind, actor = options[number]
        if kind in self._left:
            self._left[kind] -= 1
        return actor, kind == "crash"

    def _crash(self, actor: _Actor) -> None:
        """End an actor where it stands; it begins anew when its turn comes."""
        self.story.append(f"{actor.name}: CRASH")
        del self._actors[actor.life]
        with suppress(CrashError):
            actor.life.throw(CrashError())
        actor.life = greenlet(actor.body)
        self._actors[actor.life] = actor


def _can_go_on(actor: _Actor) -> bool:
    return not actor.life.dead and (actor.waits_for is None or actor.waits_for())


def explore(play: Callable[[Scheduler], None], *, preemptions: int, crashes: int) -> int:
    """Play under every schedule within the bounds; how many there were.

    Args:
        play: Sets up a world, runs its actors by the scheduler, and asserts what must hold.
        preemptions: Most switches away from an actor that could go on.
        crashes: Most crashes.
    """
    count = 0
    choices: list[int] | None = []
    while choices is not None:
        scheduler = Scheduler(choices, preemptions, crashes)
        try:
            play(scheduler)
        except BaseException as error:
            error.add_note("after: " + " | ".join(scheduler.story))
            raise
        count += 1
        choices = _next(scheduler.trace)
    return count


def _next(trace: Sequence[_Choice]) -> list[int] | None:
    """The choices of the next schedule in depth-first order; None after the last."""
    for place in reversed(range(len(trace))):
        if trace[place].taken + 1 < trace[place].options:
            return [choice.taken for choice in trace[:place]] + [trace[place].taken + 1]
    return None
