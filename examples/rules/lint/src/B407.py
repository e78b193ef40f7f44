import xml.dom.expatbuilder

