// What a person reads off the window that slides, asked by test_browser_convolution.py.
({
    // Its pictures, numbers, products and sums; empty cells are null.
    panel() {
        const panel = document.querySelector("#sliding");
        if (panel.hidden) return null;
        const text = e => e?.textContent.trim() ?? "";
        const grid = e => [...e.querySelectorAll("tr")].map(row => [...row.cells].map(cell =>
            cell.classList.contains("padding") || cell.classList.contains("gap") ? null
                : { text: text(cell), said: cell.title, kinds: [...cell.classList] }));
        return {
            said: text(panel.querySelector(".said")),
            planes: [...panel.querySelectorAll(".plane")].map(plane => ({
                heads: [...plane.querySelectorAll(".grid figcaption")].map(e => text(e)),
                grids: [...plane.querySelectorAll(".grid")].filter(e => e.querySelector("table")).map(grid),
                pictures: plane.querySelectorAll(".grid canvas").length,
                part: text(plane.querySelector(".part strong")),
                note: text(plane.querySelector(".given")),
            })),
            parts: [...panel.querySelectorAll(".parts button")].map(e => ({ name: e.ariaLabel, pressed: e.ariaPressed === "true" })),
            total: text(panel.querySelector(".comes")),
            result: text(panel.querySelector(".comes .current")),
        };
    },

    // Frames of one kind on the pictures of an array, in entries: { "0,1": [row, column, rows, columns] }.
    frames(name, kind) {
        const found = {};
        for (const tile of document.querySelectorAll(`[data-name="${name}"] .tile`)) {
            const frame = tile.querySelector(`.frame.${kind}`), canvas = tile.querySelector("canvas");
            if (!frame) continue;
            const dot = parseFloat(canvas.style.width) / canvas.width, px = key => parseFloat(frame.style[key]);
            found[tile.dataset.lead] = [
                (px("top") - parseFloat(canvas.style.top)) / dot, (px("left") - parseFloat(canvas.style.left)) / dot,
                px("height") / dot, px("width") / dot,
            ].map(Math.round);
        }
        return found;
    },
})
