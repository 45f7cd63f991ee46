"""How the page looks, by day and by night; no font and no picture is fetched."""

CSS = """
:root { color-scheme: light dark; --ink: #1c2024; --soft: #5b6470; --paper: #ffffff;
  --line: #d8dde3; --bad: #b3261e; --bad-paper: #fdecea; --dot: #4878b0; --box: #e08214;
  --c0: #4878b0; --c1: #e08214; --c2: #4a9b6e; --c3: #8c6bb1; --c4: #c9504a; --c5: #3aa6b9;
  --c6: #a8894e; --c7: #8a929c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #a0a9b5; --paper: #15181c;
  --line: #343a42; --bad: #ff8a80; --bad-paper: #3a1d1b; --dot: #7fb0e8; --box: #ffb055;
  --c0: #6d9fd8; --c1: #f0a04b; --c2: #6cc093; --c3: #b294d6; --c4: #e8807a; --c5: #66cbdc;
  --c6: #cdb079; --c7: #8a929c; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 960px; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line);
  padding-bottom: .3rem; } h3 { margin: 1.6rem 0 .4rem; }
.kind { font: 600 .75em ui-monospace, monospace; border: 1px solid var(--soft);
  border-radius: 4px; padding: .1em .4em; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; margin: .5rem 0; }
th, td { padding: .25rem .7rem .25rem 0; text-align: right; border-bottom: 1px solid var(--line);
  vertical-align: top; font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
th:first-child { text-align: left; font-weight: 400; } thead th { color: var(--soft); }
.reports td, .reports th { text-align: left; min-width: 4rem; max-width: 12rem; }
.invalid { color: var(--bad); background: var(--bad-paper); border-left: 4px solid var(--bad);
  padding: .6rem 1rem; margin: .8rem 0; overflow-wrap: anywhere; }
.invalid ul { margin: .3rem 0 0; } p.note, .notes { color: var(--soft); font-size: 13px; }
svg { display: block; width: 100%; height: auto; margin: .4rem 0; }
svg text { font-size: 13px; fill: var(--ink); } svg .group { font-weight: 600; }
svg .note { text-anchor: end; } svg .tick { text-anchor: middle; fill: var(--soft); }
svg .doubt { fill: var(--bad); font-size: 12px; font-weight: 600; }
.grid { stroke: var(--line); } .dot { fill: var(--dot); fill-opacity: .5; }
.interval { fill: var(--box); fill-opacity: .3; } .median { stroke: var(--box); stroke-width: 2.5; }
.front { fill: var(--box); } .behind { fill: none; stroke: var(--dot); stroke-width: 1.5; }
.tail { stroke: var(--ink); stroke-width: 1.5; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1rem; padding: 0;
  margin: .3rem 0; font-size: 13px; }
.legend i { display: inline-block; width: .8em; height: .8em; margin-right: .4em; }
""" + "\n".join(f".c{i} {{ fill: var(--c{i}); background: var(--c{i}); }}" for i in range(8))
