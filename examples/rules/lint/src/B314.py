import xml.etree.ElementTree

xml.etree.ElementTree.fromstring(body)

