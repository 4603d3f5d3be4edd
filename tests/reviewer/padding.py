"""Bugs put into small functions, and harmless lines put beside them: before, after, on both sides, a new name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Bug:
    """A function whose `old` text became `new`; `log` and `check` do no harm; `name` can be given another name."""

    path: str
    text: str
    old: str
    new: str
    log: str
    check: str
    name: str

    @property
    def before(self) -> str:
        """The file before the change."""
        return self.text.replace("@@", self.old)

    def variants(self) -> Iterator[tuple[str, str]]:
        """The file after the change, padded in several ways; the first is not."""
        indent = self.text[: self.text.index("@@")].rsplit("\n", 1)[1]
        log, check = (f"{indent}{line}\n" for line in (self.log, self.check))
        bug = f"{indent}{self.new}\n" if self.new else ""
        deeper = "    " if self.new.endswith(":") else ""
        for what, lines in (
            ("plain", bug),
            ("log before", log + bug),
            ("log after", bug + deeper + log),
            ("check before", check + bug),
            ("check after", bug + deeper + check),
            ("both sides", log + check + bug + deeper + log),
        ):
            yield what, self.text.replace(f"{indent}@@\n", lines)
        yield "renamed", re.sub(rf"\b{self.name}\b", f"{self.name}_", self.text.replace(f"{indent}@@\n", bug))


BUGS = (
    Bug(
        "pages.py",
        "def page(rows, number, size):\n    if number < 1:\n        raise ValueError(number)\n    offset = 0\n"
        "    @@\n    end = start + size\n    return rows[start:end]\n",
        "start = (number - 1) * size",
        "start = (number + 1) * size",
        'log.debug("page %s", number)',
        "assert number > 0",
        "offset",
    ),
    Bug(
        "cart.js",
        "function total(cart) {\n  let sum = 0;\n  for (let i = 0; i < cart.items.length; i++) {\n"
        "    const item = cart.items[i];\n    @@\n  }\n  return sum;\n}\n",
        "sum += item.price * item.count;",
        "sum += item.price + item.count;",
        'console.debug("item", item.id);',
        "console.assert(item);",
        "item",
    ),
    Bug(
        "stack.go",
        "package stack\n\nfunc (s *Stack) Pop() (int, error) {\n\tif len(s.items) == 0 {\n"
        "\t\treturn 0, ErrEmpty\n\t}\n\t@@\n\ts.items = s.items[:len(s.items)-1]\n\treturn last, nil\n}\n",
        "last := s.items[len(s.items)-1]",
        "last := s.items[len(s.items)]",
        'log.Printf("pop of %d", len(s.items))',
        "s.mustBeOpen()",
        "last",
    ),
    Bug(
        "Range.java",
        "class Range {\n    private final int low;\n    private final int high;\n\n"
        "    boolean contains(int value) {\n        @@\n    }\n}\n",
        "return value >= low && value <= high;",
        "return value >= low || value <= high;",
        'log.fine("contains " + value);',
        "assert low <= high;",
        "value",
    ),
    Bug(
        "copy.c",
        "int copy(char *to, const char *from, size_t size)\n{\n    size_t length = strlen(from);\n"
        "    @@\n    memcpy(to, from, length + 1);\n    return 0;\n}\n",
        "if (length >= size)\n        return -1;",
        "",
        'debug("copy of %zu", size);',
        "assert(to != NULL);",
        "length",
    ),
    Bug(
        "store.py",
        "def load(path):\n    file = open(path)\n    try:\n        data = json.load(file)\n    finally:\n"
        "        @@\n        counts.loads += 1\n    return data\n",
        "file.close()",
        "",
        'log.debug("loaded %s", path)',
        "assert path",
        "data",
    ),
    Bug(
        "users.ts",
        "export async function remove(id: string, user: User): Promise<void> {\n"
        "  const found = await users.find(id);\n  @@\n  await users.delete(found.id);\n}\n",
        "if (!user.isAdmin) {\n    throw new Forbidden();\n  }",
        "",
        'logger.debug("remove", id);',
        "console.assert(id);",
        "found",
    ),
    Bug(
        "search.rs",
        "fn search(items: &[i32], wanted: i32) -> Option<usize> {\n    let mut low = 0;\n"
        "    let mut high = items.len();\n    while low < high {\n        let middle = low + (high - low) / 2;\n"
        "        if items[middle] == wanted {\n            return Some(middle);\n"
        "        } else if items[middle] < wanted {\n            @@\n        } else {\n"
        "            high = middle;\n"
        "        }\n    }\n    None\n}\n",
        "low = middle + 1;",
        "low = middle;",
        'debug!("low {}", low);',
        "assert!(low < high);",
        "middle",
    ),
    Bug(
        "mean.cpp",
        "double mean(const std::vector<double>& values) {\n    double sum = 0;\n"
        "    for (double value : values) {\n"
        "        @@\n    }\n    return values.empty() ? 0 : sum / values.size();\n}\n",
        "sum += value;",
        "sum = value;",
        'LOG(DEBUG) << "value " << value;',
        "assert(!std::isnan(value));",
        "sum",
    ),
    Bug(
        "retry.py",
        "def fetch(client, url, tries):\n    for attempt in range(tries):\n        try:\n"
        "            return client.get(url, timeout=5)\n        except Timeout:\n            @@\n"
        "                raise\n            time.sleep(2 ** attempt)\n",
        "if attempt == tries - 1:",
        "if attempt == tries:",
        'log.info("attempt %d", attempt)',
        "assert attempt < 100",
        "attempt",
    ),
    Bug(
        "cache.go",
        "package cache\n\nfunc (c *Cache) Get(key string) (string, bool) {\n\tc.mutex.Lock()\n\t@@\n"
        "\tvalue, found := c.entries[key]\n\treturn value, found\n}\n",
        "defer c.mutex.Unlock()",
        "",
        'log.Printf("get %s", key)',
        "log.Print(c)",
        "value",
    ),
    Bug(
        "dates.js",
        "function daysInMonth(year, month) {\n"
        "  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);\n"
        "  @@\n    return leap ? 29 : 28;\n  }\n  return [4, 6, 9, 11].includes(month) ? 30 : 31;\n}\n",
        "if (month === 2) {",
        "if (month !== 2) {",
        'console.debug("month", month);',
        "console.assert(month > 0);",
        "leap",
    ),
)
