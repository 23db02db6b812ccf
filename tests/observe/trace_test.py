"""trace_test.py FILE whole|crash: whether the trace of program.cpp has the slices, arrows and counters that it must have."""

import collections
import json
import sys


def main():
    path, kind = sys.argv[1:]
    with open(path) as file:
        text = file.read()
    if kind == "whole":
        events = json.loads(text)
    else:  # the array is not closed, but each line is whole
        assert text.endswith("},\n"), text[-100:]
        events = json.loads(text[:-2] + "]")

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
