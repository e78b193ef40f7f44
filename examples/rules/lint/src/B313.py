import xml.etree.cElementTree

xml.etree.cElementTree.fromstring(body)

