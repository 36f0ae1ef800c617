// The style sheet of the report's page: system letters, readable from 360 px to paper, dark where the reader's system is. Text only.

const DARK = '--ground:#15181d;--ink:#e4e6ea;--quiet:#a0a6b0;--line:#363b44;--good:#63c38a;--bad:#ff8f80;--tint:#2a1d1b';
const LIGHT = '--ground:#ffffff;--ink:#1c1f24;--quiet:#5b626d;--line:#d5d9df;--good:#1a7a42;--bad:#b3261e;--tint:#fdf0ee';

export const STYLE = `
:root{color-scheme:light;${LIGHT}}
@media screen and (prefers-color-scheme:dark){:root{color-scheme:dark;${DARK}}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem 1rem 3rem;max-width:62rem;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
h1,h2,h3{line-height:1.25;overflow-wrap:anywhere}
h1{margin:0 0 .75rem;font-size:1.5rem}
h2{margin:2.5rem 0 .5rem;font-size:1.15rem}
h3{margin:0 0 .25rem;font-size:.85rem;font-weight:600}
p,ul{margin:.5rem 0;max-width:46rem;overflow-wrap:anywhere}
.quiet{color:var(--quiet)}
.verdict{font-size:1.15rem;font-weight:600}
.met{color:var(--good)}
.missed{color:var(--bad)}
.warning{padding:.6rem .8rem;border-left:4px solid var(--bad);background:var(--tint)}
.wide{overflow-x:auto}
table{border-collapse:collapse;margin:.5rem 0}
th,td{padding:.3rem 1rem .3rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;overflow-wrap:break-word}
th{color:var(--quiet);font-size:.85rem;font-weight:600}
td .met,td .missed{white-space:nowrap}
td.prose{min-width:6.5rem;max-width:34rem;overflow-wrap:anywhere}
.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
dl{display:grid;grid-template-columns:minmax(7rem,max-content) minmax(0,1fr);gap:.25rem 1rem;margin:.5rem 0}
dt{color:var(--quiet)}
dd{margin:0;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
code{font:.85em/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
figure{margin:1rem 0 0}
figcaption{max-width:46rem}
.legend{display:flex;flex-wrap:wrap;gap:.1rem 1.25rem;margin:.25rem 0 .75rem;padding:0;list-style:none;font-size:.85rem}
.legend .before{color:#d2761a}
.legend .after{color:#2f80d8}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(20rem,100%),1fr));gap:1.25rem}
.panels>div{max-width:29rem;break-inside:avoid}
svg{display:block;width:100%;height:auto}
summary{cursor:pointer}
@media (max-width:34rem){table{font-size:.85rem}th,td{padding-right:.6rem}}
@media print{body{padding:0;font-size:10pt}figure{break-inside:avoid}h2{break-after:avoid}tr{break-inside:avoid}.wide{overflow:visible}}
`;
