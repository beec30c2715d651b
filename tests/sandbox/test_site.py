"""The site that the sandbox renders, ``renders/sandbox/node/site``, on Remotion's real function."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from renders.sandbox.aws import Sandbox
from tests.sandbox.rendering import render

pytestmark = pytest.mark.system

THROWING = {
    "undefined component": ("export const A = () => <Foo/>", "Foo is not defined"),
    "render": ("export const A = () => { throw new Error('boom') }", "boom"),
    "first frame": (
        "export const A = () => { if (useCurrentFrame() === 0) throw new TypeError('boom'); return <p/> }",
        "boom",
    ),
    "last frame": (
        "export const A = () => { if (useCurrentFrame() === 39) throw new Error('boom'); return <p/> }",
        "boom",
    ),
    "memo": ("export const A = () => useMemo(() => { throw new Error('boom') }, [])", "boom"),
    "layout effect": (
        "export const A = () => { useLayoutEffect(() => { throw new Error('boom') }, []); return <p/> }",
        "boom",
    ),
    "effect": ("export const A = () => { useEffect(() => { throw new Error('boom') }, []); return <p/> }", "boom"),
    "effect of the last frame": (
        "export const A = () => { const f = useCurrentFrame();"
        " useEffect(() => { if (f === 39) throw new Error('boom') }, [f]); return <p/> }",
        "boom",
    ),
    "timer": (
        "export const A = () => { useEffect(() => { setTimeout(() => { throw new Error('boom') }, 0) }, []);"
        " return <p/> }",
        "boom",
    ),
    "rejected promise": (
        "export const A = () => { useEffect(() => { Promise.reject(new Error('boom')) }, []); return <p/> }",
        "boom",
    ),
    "second compilation": (
        "if (document.getElementById('remotion-canvas')) throw new Error('boom'); export const A = () => <p/>",
        "boom",
    ),
    "not an error": ("export const A = () => { throw 'boom' }", "boom"),
}


def test_code_that_throws_never_succeeds_however_busy_the_machine_is(sandbox: Sandbox) -> None:
    with ThreadPoolExecutor(max_workers=6) as renders:
        messages = list(renders.map(lambda case: render(sandbox, case[0]), THROWING.values()))
    expected = {name: message for name, (_, message) in THROWING.items()}
    assert dict(zip(THROWING, messages, strict=True)) == expected


def test_a_resize_observer_that_changes_sizes_is_no_failure(sandbox: Sandbox) -> None:
    code = """export const A = () => {
        const box = useRef(null);
        useEffect(() => {
            const grow = () => { box.current.style.width = box.current.offsetWidth + 1 + "px" };
            const observer = new ResizeObserver(grow);
            observer.observe(box.current);
            return () => observer.disconnect();
        }, []);
        return <div ref={box} style={{ width: 100 }} />;
    }"""
    assert render(sandbox, code) is None
