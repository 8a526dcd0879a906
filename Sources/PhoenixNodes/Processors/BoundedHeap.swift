/// The first few of many, by an order that each call gives: a binary heap with the last of them on top.
///
/// What is offered costs a comparison where it stands behind them all, else the logarithm of `limit`.
struct BoundedHeap<Element> {
    private let limit: Int
    /// In no order but the heap's.
    private(set) var elements: [Element] = []

    init(limit: Int) { self.limit = limit }

    /// Takes an element in where there is room or where it stands before the last, who goes.
    mutating func offer(_ element: Element, _ stands: (_ left: Element, _ before: Element) -> Bool) {
        if elements.count < limit {
            elements.append(element)
            rise(from: elements.count - 1, stands)
        } else if let last = elements.first, stands(element, last) {
            elements[0] = element
            sink(stands)
        }
    }
    private mutating func rise(from start: Int, _ stands: (Element, Element) -> Bool) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard stands(elements[parent], elements[child]) else { return }
            elements.swapAt(parent, child)
            child = parent
        }
    }
    private mutating func sink(_ stands: (Element, Element) -> Bool) {
        var parent = 0
        while true {
            var last = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < elements.count {
                if stands(elements[last], elements[child]) { last = child }
            }
            if last == parent { return }
            elements.swapAt(parent, last)
            parent = last
        }
    }
}
