// Charts of the statistics pages, graphs by Plotly from JSON. If that fails, the SVG chart or the data table stays visible.
(() => {
  // draws a list of graphs, {target_elem, traces: [{x, y, type}], layout}, in the colours of the page
  class Graphs {
    constructor(list) { this.list = list; }

    // returns a colour of the stylesheet as rgba()
    static colour(name, opacity = 1) {
      const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
      probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
      probe.fillRect(0, 0, 1, 1);
      const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
      return `rgba(${red}, ${green}, ${blue}, ${opacity})`;
    }

    draw() {
      const accent = Graphs.colour("--tc-accent");
      const surface = Graphs.colour("--tc-surface");
      const ink = Graphs.colour("--tc-ink");
      const axis = { color: Graphs.colour("--tc-muted"), gridcolor: Graphs.colour("--tc-muted", 0.2), zeroline: false, fixedrange: true, automargin: true };
      const base = {
        autosize: true, dragmode: false, showlegend: false, bargap: 0.28,
        paper_bgcolor: "rgba(0, 0, 0, 0)", plot_bgcolor: "rgba(0, 0, 0, 0)",
        font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: ink },
        hoverlabel: { bgcolor: surface, bordercolor: accent, font: { color: ink } },
        margin: { l: 8, r: 12, t: 8, b: 8 },
      };
      return Promise.all(this.list.map(({ target_elem, traces, layout }) => Plotly.react(
        document.getElementById(target_elem),
        traces.map((trace) => ({
          marker: { color: accent },
          ...(trace.type === "heatmap" ? { colorscale: [[0, Graphs.colour("--tc-muted", 0.12)], [1, accent]], showscale: false, xgap: 2, ygap: 2 } : {}),
          ...trace,
        })),
        { ...base, ...layout, xaxis: { ...axis, ...layout.xaxis }, yaxis: { ...axis, ...layout.yaxis } },
        { displayModeBar: false, responsive: true },
      )));
    }
  }

  const MAX_ROWS = 12;
  const title = (text) => ({ title: { text, standoff: 8 } });
  const number = { rangemode: "tozero", tickformat: ",d" };

  // returns the Plotly graph of a series, described by the data attributes of its element
  const graphOf = (element, { labels, values }) => {
    const { kind, x, y } = element.dataset;
    const target_elem = element.querySelector(".canvas").id;
    if (kind === "week") {
      const hours = values[0].map((_value, hour) => `${String(hour).padStart(2, "0")}:00`);
      return {
        target_elem,
        traces: [{ x: hours, y: labels, z: values, type: "heatmap", hovertemplate: "%{y}, %{x}: %{z}<extra></extra>" }],
        layout: { height: 320, xaxis: { ...title(x), type: "category", showgrid: false, tickvals: hours.filter((_hour, position) => position % 6 === 0), tickangle: 0 }, yaxis: { ...title(y), type: "category", autorange: "reversed", showgrid: false, ticks: "" } },
      };
    }
    if (kind === "rows") {
      const shown = labels.slice(0, MAX_ROWS).map((label) => (label.length > 24 ? `${label.slice(0, 23)}…` : label));
      const positions = shown.map((_label, position) => position);
      return {
        target_elem,
        traces: [{ x: values.slice(0, MAX_ROWS), y: positions, type: "bar", orientation: "h", text: labels.slice(0, MAX_ROWS), textposition: "none", hovertemplate: "%{text}: %{x}<extra></extra>" }],
        layout: { height: 96 + 34 * Math.max(shown.length, 2), xaxis: { ...title(x), ...number, nticks: 5 }, yaxis: { ...title(y), tickvals: positions, ticktext: shown, ticklabelstandoff: 6, autorange: "reversed", showgrid: false } },
      };
    }
    return {
      target_elem,
      traces: [{ x: labels, y: values, type: "bar", hovertemplate: "%{x|%-d %b %Y}: %{y}<extra></extra>" }],
      layout: { height: 320, xaxis: { ...title(x), type: "date", showgrid: false, nticks: 8, tickformat: labels.length > 120 ? "%b %Y" : "%-d %b", tickangle: 0 }, yaxis: { ...title(y), ...number } },
    };
  };

  const fail = (element) => {
    if (element.querySelector(".failed")) return;
    const message = document.createElement("p");
    message.className = "failed tc-muted small";
    message.setAttribute("role", "status");
    message.textContent = element.dataset.failed;
    element.prepend(message);
  };

  const load = async (element) => {
    try {
      const response = await fetch(element.dataset.series, { credentials: "same-origin", headers: { Accept: "application/json" } });
      if (!response.ok || typeof Plotly === "undefined") throw new Error("no data");
      const graph = graphOf(element, await response.json());
      const canvas = element.querySelector(".canvas");
      canvas.hidden = false;
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", element.dataset.name);
      await new Graphs([graph]).draw();
      element.querySelector(".plot")?.setAttribute("hidden", "");
      element.querySelector("[data-fallback]")?.removeAttribute("open");
      return graph;
    } catch {
      element.querySelector(".canvas").hidden = true;
      fail(element);
      return null;
    }
  };

  (async () => {
    const graphs = (await Promise.all([...document.querySelectorAll("[data-series]")].map(load))).filter(Boolean);
    document.documentElement.dataset.charts = "done";
    // redraw in the colours of the other theme
    new MutationObserver(() => new Graphs(graphs).draw()).observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });
  })();
})();
