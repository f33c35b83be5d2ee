// What a person reads off the step page, taken from what it shows; asked by steps.py.
({
    // The line and the entry that are looked at, and every number in sight.
    seen() {
        const text = selector => document.querySelector(selector)?.textContent.trim() ?? "";
        const all = selector => [...document.querySelectorAll(selector)];
        const cell = e => ({
            array: e.closest("[data-name]").dataset.name,
            place: e.dataset.place,
            text: e.textContent.trim(),
            said: e.title,
            kinds: [...e.classList],
            result: Boolean(e.closest("#result")),
        });
        return {
            line: document.querySelector("#lines [aria-current=true]").dataset.line,
            equation: Boolean(document.querySelector("#equation math")),
            why: text("#why"),
            where: text("#where"),
            sample: text("#sample-said"),
            worked: text("#worked .sum"),
            result: text("#worked .sum .current"),
            exact: document.querySelector("#worked .sum .current")?.title,
            sources: all("#worked .sum .source").map(e => ({ text: e.textContent, said: e.title })),
            cells: all(".matrix td button").map(cell),
            numbers: all("#numbers li").map(e => e.textContent.trim()),
        };
    },

    // Chooses every line in turn, and of each the cells that are in sight in what it gives, some at most.
    walked(most) {
        const found = [];
        for (const button of document.querySelectorAll("#lines [data-line]")) {
            button.click();
            const places = [...document.querySelectorAll("#result td button")].map(e => e.dataset.place);
            const every = Math.max(1, Math.ceil(places.length / most));
            places.filter((_, k) => k % every === 0 || k === places.length - 1).forEach((place, k) => {
                document.querySelector(`#result td button[data-place="${place}"]`).click();
                found.push({ place, ...this.seen(), ...(k && { cells: [] }) }); // the cells hold the same numbers as before
            });
        }
        return found;
    },
})
