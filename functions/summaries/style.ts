/** How the page looks: in light and in dark, on wide screens and on narrow ones, and printed. */
export const style = `
:root{color-scheme:light dark;--page:#f5f6f8;--card:#fff;--text:#1a1f27;--soft:#56606e;--line:#dfe3e8;--code:#eef1f4;--link:#0a58b8;--good:#166534;--good-back:#dcf5e4;--bad:#a31515;--bad-back:#fde6e6;--wait:#7a4a00;--wait-back:#fdf0d5}
@media(prefers-color-scheme:dark){:root{--page:#101419;--card:#181e25;--text:#e6eaef;--soft:#9ba7b4;--line:#2c353f;--code:#222a33;--link:#7db6ff;--good:#86e0a5;--good-back:#12361f;--bad:#ff9d9d;--bad-back:#431a1a;--wait:#f2c572;--wait-back:#3b2c0c}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:56rem;padding:2rem 1.25rem;background:var(--page);color:var(--text);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
header{display:flex;align-items:center;gap:1.1rem;margin-bottom:1.5rem}
header>div{flex:1;min-width:0}
.logo{width:72px;height:72px;object-fit:contain;border-radius:14px;flex:none}
h1{font-size:1.7rem;line-height:1.2;margin:0;letter-spacing:-.01em}
h2{font-size:1.1rem;margin:0 0 .8rem}
h3{font-size:1rem;margin:1.3rem 0 .6rem}
p{margin:.5rem 0}
.place{margin:.2rem 0 0;color:var(--soft)}
.status{display:inline-block;margin:0;padding:.15rem .65rem;border-radius:1rem;font-size:.85rem;font-weight:600;white-space:nowrap;color:var(--wait);background:var(--wait-back)}
h2 .status{margin-left:.4rem;vertical-align:.08em}
.ready,.succeeded{color:var(--good);background:var(--good-back)}
.failed,.timed_out{color:var(--bad);background:var(--bad-back)}
section{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1.25rem 1.4rem;margin-bottom:1rem}
dl{margin:0;display:grid;gap:.45rem}
dl>div{display:grid;grid-template-columns:8rem 1fr;gap:1rem}
dt,footer{color:var(--soft)}
dd{margin:0;min-width:0}
code,pre{font:.87em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
code{background:var(--code);border-radius:5px;padding:.1em .35em}
pre{background:var(--code);border-radius:8px;padding:.75rem .9rem;margin:.5rem 0;overflow-x:auto;overflow-wrap:normal}
pre code{padding:0;background:none;font-size:1em}
a{color:var(--link)}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.failure{border-left:4px solid var(--bad);padding:.1rem 0 .1rem 1rem;margin-bottom:1rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.94rem}
th,td{text-align:left;vertical-align:top;padding:.45rem .8rem .45rem 0;border-bottom:1px solid var(--line);overflow-wrap:normal}
thead th{color:var(--soft);font-weight:600}
tbody th{font-weight:500}
tbody tr:last-child>*{border-bottom:0}
.mark{white-space:nowrap;font-weight:600}
.good{color:var(--good)}
.bad{color:var(--bad)}
.center{text-align:center}
.right{text-align:right}
.prose>:first-child{margin-top:0}
.prose>:last-child{margin-bottom:0}
.prose h3{font-size:1.35rem}
.prose h4{font-size:1.15rem;margin:1.2rem 0 .5rem}
.prose h5,.prose h6{font-size:1rem;margin:1rem 0 .4rem}
.prose ul,.prose ol{padding-left:1.5rem;margin:.5rem 0}
.prose blockquote{margin:.8rem 0;padding-left:1rem;border-left:4px solid var(--line);color:var(--soft)}
.prose hr{border:0;border-top:1px solid var(--line);margin:1.2rem 0}
dl+.wide{margin-top:.8rem}
#pull~pre{white-space:pre-wrap;overflow-wrap:anywhere}
footer{font-size:.85rem;text-align:center}
@media(max-width:34rem){body{padding:1.2rem .8rem}header{flex-wrap:wrap}h1{font-size:1.35rem}.logo{width:56px;height:56px}section{padding:1rem}dl>div{grid-template-columns:1fr;gap:0}dl{gap:.7rem}}
@media print{body{background:none;padding:0}section{break-inside:avoid}}
`;
