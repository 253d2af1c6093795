"""Grafana's dashboard JSON (schema 41): panels of each kind, variables, the grid. Knows nothing of GPUs."""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
GREEN, YELLOW, ORANGE, RED, BLUE, GREY = "green", "yellow", "orange", "red", "blue", "text"


def target(expr, legend="", instant=False, table=False):
    """One query of a panel. refIds are given by the panel."""
    return {
        "datasource": DATASOURCE,
        "editorMode": "code",
        "expr": expr,
        "format": "table" if table else "time_series",
        "instant": instant or table,
        "legendFormat": legend or "__auto",
        "range": not (instant or table),
    }


def thresholds(*steps):
    """thresholds((None, GREEN), (80, RED)): the colour from each value on."""
    return {"mode": "absolute", "steps": [{"color": color, "value": value} for value, color in steps]}


def mappings(*values):
    """mappings((0, "HEALTHY", GREEN), …): text and colour for each value."""
    options = {str(value): {"color": color, "index": i, "text": text} for i, (value, text, color) in enumerate(values)}
    return [{"type": "value", "options": options}]


def override(field, **properties):
    """What a field has of its own; keys as in fieldConfig, with "__" for "."."""
    return {
        "matcher": {"id": "byName", "options": field},
        "properties": [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()],
    }


def dashed(pattern):
    """Series of that name are limits: dashed, without a fill."""
    return {
        "matcher": {"id": "byRegexp", "options": pattern},
        "properties": [
            {"id": "custom.lineStyle", "value": {"dash": [8, 8], "fill": "dash"}},
            {"id": "custom.fillOpacity", "value": 0},
        ],
    }


def panel(kind, title, description, targets, defaults, options, overrides=(), transformations=()):
    for i, query in enumerate(targets):
        query["refId"] = chr(ord("A") + i)
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": defaults, "overrides": list(overrides)},
        "options": options,
        "transformations": list(transformations),
    }


def timeseries(title, description, unit, targets, low=0, high=None, steps=None, stacked=False, bars=False, overrides=(), links=()):
    custom = {
        "drawStyle": "bars" if bars else "line",
        "fillOpacity": 60 if bars else 10,
        "lineInterpolation": "linear",
        "lineWidth": 1,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "normal" if stacked else "none"},
        "thresholdsStyle": {"mode": "line" if steps else "off"},
    }
    defaults = {"color": {"mode": "palette-classic"}, "custom": custom, "links": list(links), "mappings": [], "unit": unit,
                "thresholds": steps or thresholds((None, GREEN))}
    defaults.update({key: value for key, value in (("min", low), ("max", high)) if value is not None})
    options = {
        "legend": {"calcs": ["lastNotNull", "max"], "displayMode": "table", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return panel("timeseries", title, description, targets, defaults, options, overrides)


def stat(title, description, unit, expr, steps, links=(), maps=(), decimals=None):
    defaults = {"color": {"mode": "thresholds"}, "links": list(links), "mappings": list(maps), "unit": unit, "thresholds": steps}
    if decimals is not None:
        defaults["decimals"] = decimals
    options = {
        "colorMode": "background",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "textMode": "auto",
        "wideLayout": True,
    }
    return panel("stat", title, description, [target(expr, instant=True)], defaults, options)


def timeline(title, description, targets, maps, links=()):
    defaults = {
        "color": {"mode": "thresholds"},
        "custom": {"fillOpacity": 80, "lineWidth": 0, "spanNulls": False},
        "links": list(links),
        "mappings": maps,
        "thresholds": thresholds((None, GREY)),
        "unit": "none",
    }
    options = {
        "alignValue": "left",
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "mergeValues": True,
        "rowHeight": 0.9,
        "showValue": "auto",
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return panel("state-timeline", title, description, targets, defaults, options)


def table(title, description, queries, columns, overrides=(), sort=None):
    """`queries`: name of the value's column (None: not shown) -> expression. `columns`: the labels to show, in order. The rows of the
    queries are put together by their labels."""
    targets = [target(expr, table=True) for expr in queries.values()]
    letters = [chr(ord("A") + i) for i in range(len(targets))]
    raw = ["Value"] if len(targets) == 1 else [f"Value #{letter}" for letter in letters]
    values = dict(zip(raw, queries))
    shown = [*columns, *(name for name in raw if values[name])]
    organize = {
        "excludeByName": {name: True for name in raw if not values[name]} | {"Time": True},
        "includeByName": {},
        "indexByName": {name: i for i, name in enumerate(shown)},
        "renameByName": {name: values[name] for name in raw if values[name]},
    }
    names = "|".join([*columns, "Time", "Value.*"])
    transformations = [
        {"id": "merge", "options": {}},
        {"id": "filterFieldsByName", "options": {"include": {"pattern": f"^({names})$"}}},
        {"id": "organize", "options": organize},
    ]
    if sort:
        transformations.append({"id": "sortBy", "options": {"fields": {}, "sort": [{"field": sort, "desc": True}]}})
    defaults = {
        "color": {"mode": "thresholds"},
        "custom": {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True, "inspect": False},
        "mappings": [],
        "thresholds": thresholds((None, GREY)),
    }
    options = {"cellHeight": "sm", "footer": {"countRows": False, "fields": "", "reducer": ["sum"], "show": False}, "showHeader": True}
    return panel("table", title, description, targets, defaults, options, overrides, transformations)


def link(title, url):
    return {"title": title, "url": url, "targetBlank": False}


def query_variable(name, label, asked, value, several=True):
    query = f"label_values({asked}, {value})"
    variable = {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": DATASOURCE,
        "definition": query,
        "query": {"qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        "refresh": 2,
        "regex": "",
        "sort": 3,
        "multi": several,
        "includeAll": several,
        "hide": 0,
        "options": [],
        "skipUrlSync": False,
    }
    if several:
        variable |= {"allValue": ".*", "current": {"selected": True, "text": ["All"], "value": ["$__all"]}}
    else:
        variable |= {"current": {}}
    return variable


def custom_variable(name, label, values, description):
    """`values`: shown text -> value; the first one is chosen at first."""
    options = [{"selected": i == 0, "text": text, "value": value} for i, (text, value) in enumerate(values.items())]
    return {
        "type": "custom",
        "name": name,
        "label": label,
        "description": description,
        "query": ", ".join(f"{text} : {value}" for text, value in values.items()),
        "current": options[0],
        "options": options,
        "multi": False,
        "includeAll": False,
        "hide": 0,
        "skipUrlSync": False,
    }


def datasource_variable():
    return {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus", "regex": "", "refresh": 1,
            "multi": False, "includeAll": False, "hide": 0, "current": {}, "options": [], "skipUrlSync": False}


def annotation(name, expr, color, title, text, tags="", value_is_time=False):
    return {"name": name, "datasource": DATASOURCE, "enable": True, "hide": False, "iconColor": color, "expr": expr, "step": "10s",
            "titleFormat": title, "textFormat": text, "tagKeys": tags, "useValueForTime": value_is_time}


def place(rows):
    """`rows`: title -> [(panel, width, height)]; from left to right, from top to bottom, 24 columns."""
    placed, y, number = [], 0, 0
    for title, panels in rows.items():
        number += 1
        placed.append({"type": "row", "title": title, "id": number, "collapsed": False, "panels": [],
                       "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}})
        y, x, tallest = y + 1, 0, 0
        for made, width, height in panels:
            if x + width > 24:
                x, y, tallest = 0, y + tallest, 0
            number += 1
            placed.append({**made, "id": number, "gridPos": {"x": x, "y": y, "w": width, "h": height}})
            x, tallest = x + width, max(tallest, height)
        y += tallest
    return placed


def dashboard(uid, title, description, variables, rows, annotations=(), span="1h"):
    own = {"builtIn": 1, "datasource": {"type": "grafana", "uid": "-- Grafana --"}, "enable": True, "hide": True,
           "iconColor": "rgba(0, 211, 255, 1)", "name": "Annotations & Alerts", "type": "dashboard"}
    links = [{"type": "dashboards", "tags": ["muster"], "title": "Muster", "asDropdown": True, "includeVars": True, "keepTime": True,
              "icon": "external link", "targetBlank": False, "tooltip": "", "url": ""}]
    return {
        "annotations": {"list": [own, *annotations]},
        "description": description,
        "editable": True,
        "fiscalYearStartMonth": 0,
        "graphTooltip": 1,
        "id": None,
        "links": links,
        "panels": place(rows),
        "preload": False,
        "refresh": "10s",
        "schemaVersion": 41,
        "tags": ["muster"],
        "templating": {"list": [datasource_variable(), *variables]},
        "time": {"from": f"now-{span}", "to": "now"},
        "timepicker": {},
        "timezone": "browser",
        "title": title,
        "uid": uid,
        "version": 1,
        "weekStart": "",
    }
