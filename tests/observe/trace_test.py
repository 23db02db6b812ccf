"""trace_test.py FILE whole|crash|cut|names|fork|threads: whether the trace of program.cpp has the slices, arrows and counters
that it must have."""

import collections
import json
import sys


def read(path, closed):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if closed:
        return json.loads(text)
    assert text.endswith("},\n"), text[-100:]  # the array is not closed, but each line is whole
    return json.loads(text[:-2] + "]")


def names_of(events, what="thread_name"):
    return sorted(e["args"]["name"] for e in events if e.get("name") == what and e["ph"] == "M")


def count(events, **fields):
    return sum(all(e.get(key) == value for key, value in fields.items()) for e in events)


def names(events):
    found = names_of(events)
    for name in ['"quoted" \\', "</script><!--", "two\nlines\t\x01", "协程", "no UTF-8: �" + "�(" + "�" * 3]:
        assert name in found, (name, found)
    lags = [e["args"]["value"] for e in events if e["ph"] == "C" and e["name"].startswith("lag")]
    assert any(lag != int(lag) for lag in lags), lags


def fork(events):
    assert names_of(events, "process_name") == ["loop 1"], names_of(events, "process_name")
    assert count(events, ph="B", name="tick 1") == 1 and count(events, ph="B", name="tick 2") == 0, events


def threads(events):
    loops = collections.defaultdict(list)
    for event in events:
        loops[event["pid"]].append(event)
    assert len(loops) == 80, len(loops)
    for loop in loops.values():
        lanes = {e["tid"] for e in loop if e["ph"] == "B"}
        assert len(lanes) >= 2, loop  # the loop's, and the task's
        for lane in lanes:
            assert count(loop, tid=lane, ph="B") == count(loop, tid=lane, ph="E"), (lane, loop)
        times = [e["ts"] for e in loop if "ts" in e]
        assert times == sorted(times), loop


def main():
    path, kind = sys.argv[1:]
    events = read(path, closed=kind not in ("crash", "cut"))
    if kind == "cut":
        assert len(events) > 10, events
        return
    if kind in ("names", "fork", "threads"):
        globals()[kind](events)
        return

    lanes = {e["tid"]: e["args"]["name"] for e in events if e["name" if "name" in e else "ph"] == "thread_name"}
    names = sorted(lanes.values())
    expected = ["first \"quoted\"", "loop", "second"] + (["never"] if kind == "whole" else [])
    assert set(expected) <= set(names), names

    # Slices nest in each lane, and time goes on.
    open_slices, steps, last = collections.defaultdict(list), collections.Counter(), 0
    begins, ends = {}, {}
    for event in events:
        if event["ph"] == "M":
            continue
        assert event["ts"] >= last, event
        assert event["ph"] in "sf" or event["ts"] > last, event
        last = event["ts"]
        lane = event["tid"]
        if event["ph"] == "B":
            open_slices[lane].append(event)
            steps[lanes[lane]] += 1
        elif event["ph"] == "E":
            assert open_slices[lane], event
            open_slices[lane].pop()
            ends.setdefault(lanes[lane], []).append(event.get("args", {}))
        elif event["ph"] == "s":
            assert open_slices[lane], ("an arrow begins where nothing runs", event)
            assert event["id"] not in begins, event
            begins[event["id"]] = lanes[lane]
        elif event["ph"] == "f":
            assert open_slices[lane] and event["bp"] == "e", event
            assert event["id"] in begins, event
            begins[event["id"]] = (begins[event["id"]], lanes[lane])
    still_open = {lanes[lane] for lane, slices in open_slices.items() if slices}

    main_lane = next(name for name in names if name.startswith("Task-"))
    arrows = collections.Counter(pair for pair in begins.values() if isinstance(pair, tuple))
    assert steps["first \"quoted\""] == 2, steps
    assert ends["first \"quoted\""][0]["waits for"] == "<Future pending>", ends
    assert ends["first \"quoted\""][0]["at"][0].startswith("answer program.cpp:"), ends
    assert "result=42" in ends["first \"quoted\""][1]["done"], ends
    assert arrows[main_lane, "first \"quoted\""] == 2, arrows  # made, and woken by the result
    assert arrows["first \"quoted\"", main_lane] == 1, arrows

    counters = collections.defaultdict(list)
    for event in events:
        if event["ph"] == "C":
            counters[event["name"]].append(event["args"]["value"])
    assert {"ready", "timers", "tasks"} <= set(counters), counters

    if kind == "crash":
        assert still_open == {"loop", main_lane}, still_open  # in the tick, in the step that crashed
        return
    assert not still_open, still_open
    assert steps["second"] == 4 and steps["never"] == 2, steps
    assert arrows["loop", "second"] == 3, arrows  # its timers
    assert arrows["second", "loop"] == 3 + 0, arrows  # that it armed
    assert max(counters["tasks"]) == 3 and counters["tasks"][-1] == 0, counters
    assert counters["lag of timers, ms"] == [0], counters
    assert any(e["ph"] == "i" and e["name"].startswith("cancel() at program.cpp:") for e in events)
    assert sum(e["ph"] == "B" and e["name"].startswith("tick ") for e in events) > 8


main()
