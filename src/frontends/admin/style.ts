/** The page's stylesheet. Every pair of colours has a contrast of 4.5:1 or more. */
export const style = `:root {
  color-scheme: light dark;
  --page: #f5f6f7; --card: #fff; --text: #1b2127; --quiet: #56616c; --line: #dde1e5; --base: #c9cfd5;
  --link: #14568f; --good: #1f6f60; --bad: #ae2318; --warn: #7d5200; --bad-tint: #fdf0ee; --chart: #2f7fa8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #121518; --card: #1a1f24; --text: #e4e8ec; --quiet: #9fabb7; --line: #2b3239; --base: #46505a;
    --link: #7fbdf2; --good: #5fc4ae; --bad: #ff9187; --warn: #e6b35a; --bad-tint: #2c1d1e; --chart: #5aa9d2;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 3.5rem; }
body { margin: 0; background: var(--page); color: var(--text); font: 14px/1.45 system-ui, 'DejaVu Sans', sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
a { color: var(--link); text-underline-offset: .15em; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 2px; }
main:focus { outline: none; }
small { font-size: 12px; color: var(--quiet); font-weight: 400; }
code { font: 12px/1.4 ui-monospace, 'DejaVu Sans Mono', monospace; }
p, ul, dl, dd, figure { margin: 0; padding: 0; }
ul { list-style: none; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: .5rem; top: .5rem; z-index: 2; background: var(--card); padding: .5rem 1rem; }

header { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: baseline;
  padding: .6rem 1.5rem; background: var(--card); border-bottom: 1px solid var(--line); }
.brand { font-weight: 650; }
header nav { display: flex; flex-wrap: wrap; gap: .1rem 1rem; flex: 1; }
header nav a { color: var(--quiet); text-decoration: none; }
header nav a:hover { color: var(--link); text-decoration: underline; }
.as-of { color: var(--quiet); font-size: 12px; }
main { max-width: 1360px; margin: 0 auto; padding: 1rem 1.5rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.25rem; }
footer { max-width: 1360px; margin: 0 auto; padding: 0 1.5rem 2rem; color: var(--quiet); font-size: 12px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .9rem 1.1rem; }
h1 { margin: 0; font-size: 1.55rem; line-height: 1.25; font-weight: 650; letter-spacing: -.01em; }
h2 { margin: 0 0 .5rem; font-size: 1rem; font-weight: 650; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); } .plain { color: var(--quiet); }
h1.plain { color: var(--text); }
b { font-weight: 400; white-space: nowrap; }
b.bad, b.warn { font-weight: 600; }
.good::before { content: '● '; content: '● ' / ''; }
.bad::before { content: '▲ '; content: '▲ ' / ''; }
.warn::before { content: '◆ '; content: '◆ ' / ''; }
.plain::before { content: '○ '; content: '○ ' / ''; }
h1.plain::before { content: none; }
#stale:empty { display: none; }
#stale { padding: .6rem 1.1rem; border: 1px solid var(--bad); border-radius: 6px; background: var(--bad-tint); color: var(--bad); }
.empty, .more { color: var(--quiet); }
.more { margin-top: .6rem; }
.alerts b { white-space: normal; }
.alerts { margin-top: .5rem; display: flex; flex-wrap: wrap; gap: .15rem 1.5rem; }
.facts { margin-top: .9rem; display: flex; flex-wrap: wrap; gap: .6rem 2.25rem; }
.facts dt { color: var(--quiet); font-size: 12px; }
.facts dd { font-size: 1.1rem; }

table { width: 100%; border-collapse: collapse; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
th, td { padding: .32rem .9rem .32rem 0; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: .4rem; }
th:first-child { padding-left: .5rem; border-left: 3px solid transparent; }
thead th { border-top: 0; color: var(--quiet); font-size: 12px; font-weight: 500; white-space: nowrap; }
tbody th { font-weight: 600; min-width: 7.5rem; max-width: 15rem; overflow-wrap: break-word; }
.machines td:nth-child(3) { min-width: 7rem; }
td small { white-space: nowrap; }
@media (min-width: 79rem) { .machines td:last-child { white-space: nowrap; } }
tbody tr:hover { background: var(--page); }
tr.overdue, tbody tr.overdue:hover { background: var(--bad-tint); }
tr.overdue th { border-left-color: var(--bad); }
.number { text-align: right; }
td.number { white-space: nowrap; }
time { white-space: nowrap; }
.failure { color: var(--warn); font-size: 12px; max-width: 30ch; }
.failure time, .failure small { color: inherit; white-space: normal; }
.stores td.number small { display: block; }
.none { color: var(--quiet); }

svg { display: block; }
.strip { width: 179px; height: 16px; }
.strip path { fill: none; stroke-dasharray: 5 1; }
.strip .c { stroke: var(--good); stroke-width: 14; }
.strip .f { stroke: var(--bad); stroke-width: 6; }
.strip .n { stroke: var(--base); stroke-width: 2; }
td .strip { margin-top: 2px; }
.bars { width: 100%; height: 44px; }
.bars path { fill: var(--chart); }
.bars .base { fill: none; stroke: var(--line); vector-effect: non-scaling-stroke; }
.growth { display: block; white-space: nowrap; }
.growth .bars { width: 179px; height: 24px; }
.meter + span { white-space: nowrap; }
.meter { width: 100%; min-width: 80px; max-width: 130px; height: 6px; margin: .35rem 0 .15rem; }
.meter path { fill: var(--chart); } .meter.full path { fill: var(--bad); } .meter path.base { fill: var(--line); }
.legend { margin-top: .7rem; color: var(--quiet); }
.legend summary { cursor: pointer; width: fit-content; }
.legend ul { display: flex; flex-wrap: wrap; gap: .2rem 1.5rem; }
.legend li { display: flex; align-items: center; gap: .4rem; }
.legend .strip { width: 5px; }
.traffic { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 260px), 1fr)); gap: 1rem 2rem; }
figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; margin-bottom: .3rem; }
figcaption span, .scale { color: var(--quiet); font-size: 12px; }
.scale { display: flex; justify-content: space-between; gap: .5rem; }

@media (max-width: 77rem) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody { display: block; }
  tr { display: grid; grid-template-columns: repeat(auto-fill, minmax(7.4rem, 1fr)); gap: .4rem 1rem; padding: .7rem .6rem;
    border-top: 1px solid var(--line); border-left: 3px solid transparent; }
  tr.overdue { border-left-color: var(--bad); }
  th:first-child, th, td, th:last-child, td:last-child { padding: 0; border: 0; }
  tbody th, .machines td:nth-child(3) { min-width: 0; max-width: none; overflow-wrap: anywhere; }
  td:empty { display: none; }
  td.wide, td:last-child { grid-column: span 2; }
  td.number { text-align: left; }
  td:not(:last-child) > time small { display: block; }
  td.wide:last-child { grid-column: 1 / -1; }
  td[data-of]::before { content: attr(data-of); display: block; color: var(--quiet); font-size: 12px; }
}
@media (max-width: 40rem) {
  header { position: static; padding: .6rem .9rem; }
  header nav { order: 1; flex-basis: 100%; }
  .as-of { margin-left: auto; }
  td.wide, td:last-child { grid-column: 1 / -1; }
  html { scroll-padding-top: 0; }
  main { padding: .75rem; gap: .75rem; }
  section { padding: .8rem; }
  h1 { font-size: 1.3rem; }
  footer { padding: 0 .9rem 1.5rem; }
}
@media print { header { position: static; } section { break-inside: auto; border: 0; } }
`;
