({
    // What a page is asked by accessibility.py: an object of questions.

    // The document as such: its language, title, headings, ids, and what they are used for.
    faults() {
        const found = [];
        if (!document.documentElement.lang) found.push("no language");
        if (!document.title.trim()) found.push("no title");
        if (document.querySelectorAll("main, [role=main]").length !== 1) found.push("not one main");
        if (document.querySelectorAll("h1").length !== 1) found.push("not one h1");
        let level = 0;
        for (const heading of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
            if (!heading.checkVisibility()) continue;
            if (+heading.tagName[1] > level + 1) found.push(`${heading.tagName} after h${level}: ${heading.textContent}`);
            level = +heading.tagName[1];
        }
        const all = [...document.querySelectorAll("*")];
        const ids = all.map(e => e.id).filter(Boolean);
        for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) found.push(`twice: #${id}`);
        const names = ["labelledby", "describedby", "controls", "activedescendant", "owns"].map(name => `aria-${name}`);
        for (const e of all) {
            for (const name of ["for", ...names])
                for (const id of (e.getAttribute(name) ?? "").split(/\s+/).filter(Boolean))
                    if (!document.getElementById(id)) found.push(`${name} of ${e.tagName} names no element: ${id}`);
            if (e.tabIndex > 0) found.push(`tabindex above 0: ${e.tagName}`);
        }
        return found;
    },

    // What is wider than the window, where the page as a whole would have to be scrolled sideways.
    sticksOut() {
        const root = document.scrollingElement, width = root.clientWidth;
        if (root.scrollWidth <= width && document.body.scrollWidth <= width) return [];
        const wide = [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > width + 1);
        const said = e => `${e.tagName}#${e.id}.${e.className} to ${Math.round(e.getBoundingClientRect().right)}`;
        return [`${root.scrollWidth} wide in ${width}`, ...wide.map(said).slice(0, 8)];
    },

    // Texts whose colour stands out too little from what is behind them: WCAG's ratio of luminances.
    faint(least, large) {
        const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
        const colour = text => {
            canvas.clearRect(0, 0, 1, 1);
            canvas.fillStyle = text;
            canvas.fillRect(0, 0, 1, 1);
            const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
            return [r, g, b, a / 255];
        };
        const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3]));
        const linear = v => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        const luminance = c => [0.2126, 0.7152, 0.0722].reduce((sum, w, i) => sum + w * linear(c[i] / 255), 0);
        const paper = matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
        const behind = e => {
            const layers = [];
            for (; e; e = e.parentElement) layers.unshift(colour(getComputedStyle(e).backgroundColor));
            return layers.reduce((under, top) => over(top, under), paper);
        };
        const through = e => (e ? +getComputedStyle(e).opacity * through(e.parentElement) : 1);
        const found = new Map();
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        for (let text = walker.nextNode(); text; text = walker.nextNode()) {
            const e = text.parentElement, style = getComputedStyle(e);
            if (!text.data.trim() || e.closest("script, style, noscript, option, svg, [disabled], [aria-disabled=true]")) continue;
            if (!e.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
            if (e.getBoundingClientRect().width < 2) continue;
            const ground = behind(e), [r, g, b, a] = colour(style.color), shown = over([r, g, b, a * through(e)], ground);
            const [low, high] = [luminance(ground), luminance(shown)].sort((a, b) => a - b);
            const size = parseFloat(style.fontSize), big = size >= 24 || (size >= 18.6 && style.fontWeight >= 700);
            const ratio = (high + 0.05) / (low + 0.05);
            const where = `${e.tagName.toLowerCase()}.${e.className} ${style.color} on ${ground.map(Math.round)}`;
            if (ratio < (big ? large : least) && !found.has(where))
                found.set(where, `${ratio.toFixed(2)} ${where}: ${text.data.trim().slice(0, 30)}`);
        }
        return [...found.values()];
    },

    // Where the focus is, and whether one sees it: a ring, or a look that it has only with the focus. Null at the page's end.
    stop() {
        const e = document.activeElement;
        if (!e || e === document.body) return null;
        const looks = s => [s.outline, s.boxShadow, s.borderColor, s.backgroundColor, s.color].join();
        const style = getComputedStyle(e), box = e.getBoundingClientRect(), focused = looks(style);
        const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
        e.blur();
        const plain = looks(getComputedStyle(e));
        e.focus({ focusVisible: true, preventScroll: true });
        e.dataset.stop ??= String(document.querySelectorAll("[data-stop]").length);
        return {
            tag: e.tagName.toLowerCase(), id: e.id, role: e.getAttribute("role"), stop: e.dataset.stop,
            seen: ring || focused !== plain,
            inside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
        };
    },
})
