import xml.dom.expatbuilder

xml.dom.expatbuilder.parseString(body)

