// What the theme lacks: diagrams, tables that one can filter.
document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
document.querySelector(".md-search__scrollwrap")?.setAttribute("tabindex", "0");

// The theme wraps tables once the document is read. A wide one is scrolled by keyboard, too.
window.addEventListener("load", () => {
  for (const each of document.querySelectorAll(".md-typeset__scrollwrap")) each.setAttribute("tabindex", "0");
});

const dark = () => document.body.dataset.mdColorScheme === "slate";

async function draw() {
  const figures = [...document.querySelectorAll(".diagram")];
  if (!figures.length) return;
  const [ink, paper, box] = dark() ? ["#e8ebf4", "#2e303e", "#434759"] : ["#1c1e24", "#ffffff", "#eceef6"];
  const themeVariables = {
    darkMode: dark(),
    background: paper,
    primaryColor: box,
    primaryTextColor: ink,
    primaryBorderColor: ink,
    lineColor: ink,
    textColor: ink,
    edgeLabelBackground: paper,
    labelBackground: paper,
    labelBackgroundColor: paper,
    noteBkgColor: box,
    noteTextColor: ink,
    noteBorderColor: ink,
    clusterBkg: paper,
    tertiaryColor: paper,
    transitionLabelColor: ink,
    fontSize: "14px",
  };
  const asLarge = { useMaxWidth: false };
  const diagrams = { flowchart: asLarge, sequence: asLarge, state: asLarge };
  mermaid.initialize({ startOnLoad: false, theme: "base", themeVariables, fontFamily: "sans-serif", ...diagrams });
  for (const [number, figure] of figures.entries()) {
    figure.dataset.source ??= figure.textContent;
    const { svg } = await mermaid.render(`diagram-${number}`, figure.dataset.source);
    figure.innerHTML = svg;
  }
  document.body.dataset.drawn = dark() ? "dark" : "light";
}
draw();
new MutationObserver(draw).observe(document.body, { attributeFilter: ["data-md-color-scheme"] });

const filter = document.getElementById("filter");
if (filter) {
  const rows = [...document.querySelectorAll(".filtered tbody tr")];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const show = () => {
    const words = filter.value.toLowerCase().split(/\s+/);
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = !words.every((word) => texts[i].includes(word));
      shown += !row.hidden;
    });
    document.getElementById("filtered").textContent = `${shown} of ${rows.length}`;
  };
  filter.addEventListener("input", show);
  show();
}
