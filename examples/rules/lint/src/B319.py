import xml.dom.pulldom

xml.dom.pulldom.parseString(body)

